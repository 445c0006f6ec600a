import Access
import Base
import HTTPTypes
import OAuth
import Trust

/// OAuth clients.
extension RouteTable {
    static func clients(_ services: NorthboundServices) -> [Route] {
        let oauth = services.oauth
        let all = "/api/v1/tenants/{tenant}/clients"
        return [
            Route(
                .get, all, "listClients", "Lists the OAuth clients, without their secrets.", needs: .principalRead,
                query: Parameter.paging, success: .page(.client)
            ) { call in
                let after = try call.cursor(.clients).flatMap { ClientID(text: $0) }
                let found = try await oauth.clients(
                    tenant: call.tenant.id, after: after, limit: call.limit, by: call.principal)
                let next = found.count == call.limit ? found.last.map { Cursor.clients.text($0.id) } : nil
                return .page(found.map(\.json), next: next)
            },
            Route(
                .post, all, "createClient",
                "Registers a program that gets access tokens; its secret, when it has one, is shown this once.",
                needs: .principalManage, body: .json(.clientDraft), success: .created(.newClient)
            ) { call in
                let made = try await oauth.createClient(
                    try draft(call.body), tenant: call.tenant.id, by: call.principal)
                guard case .object(var members) = made.client.json else { return .done }
                members["clientSecret"] = made.secret.map { .string($0) }
                return .created(.object(members), at: "/api/v1/tenants/\(call.tenant.slug)/clients/\(made.client.id)")
            },
            Route(
                .post, all + "/{client}/secret", "replaceClientSecret",
                "Gives an OAuth client a new secret, shown this once; the old one is refused at once.",
                needs: .principalManage, success: .json(.clientSecret)
            ) { call in
                let secret = try await oauth.replaceSecret(
                    call.path.identifier("client"), tenant: call.tenant.id, by: call.principal)
                return .ok(["clientSecret": .string(secret)])
            },
            Route(
                .delete, all + "/{client}", "endClient", "Ends an OAuth client and all tokens that it has, at once.",
                needs: .principalManage, success: .nothing
            ) { call in
                try await oauth.endClient(call.path.identifier("client"), tenant: call.tenant.id, by: call.principal)
                return .done
            },
        ]
    }

    private static func draft(_ body: Fields) throws -> ClientDraft {
        var draft = ClientDraft(
            name: try body.text("name"), method: Client.Method(rawValue: try body.text("method")) ?? .none,
            flows: Set(body.texts("flows").compactMap(Client.Flow.init(rawValue:))))
        draft.redirects = body.texts("redirects")
        if body.value("scopes") != nil {
            draft.permissions = Set(body.texts("scopes").compactMap(Permission.init(rawValue:)))
        }
        draft.role = body.textIfAny("role")
        draft.domain = body.textIfAny("domain")
        draft.reason = body.textIfAny("reason")
        draft.keys = body.value("keys")
        if let text = body.textIfAny("certificate") {
            guard let fingerprint = Fingerprint(text: text.lowercased().replacing(":", with: "")) else {
                throw body.fault("certificate", "must be the certificate's SHA-256 in hexadecimal digits")
            }
            draft.certificate = fingerprint
        }
        return draft
    }
}

extension Shape {
    private static let clientMembers: [Member] = [
        .required("clientId", .identifier, "The identifier that the program gives as client_id."),
        .required("name", .text, "The name for people."),
        .required("method", .choice(Client.Method.allCases.map(\.rawValue)), "How it proves which one it is."),
        .required("flows", .array(of: .choice(Client.Flow.allCases.map(\.rawValue)), atMost: 3), "How it gets tokens."),
        .required("redirects", .array(of: .text, atMost: OAuthLimits.redirects), "Where answers for it may go."),
        .required(
            "scopes", .nullable(.array(of: .text, atMost: 1000)),
            "The permissions that its tokens may be used for at most; null is all that the principal holds."),
        .required("principal", .nullable(.identifier), "Who it is when it acts for itself."),
        .required("certificate", .nullable(.text), "The SHA-256 of the certificate that it connects with."),
        .required("created", .time, "When it was registered."),
    ]

    static let client = Shape.named("OAuthClient", .object(clientMembers))
    static let newClient = Shape.named(
        "NewOAuthClient",
        .object(clientMembers + [.optional("clientSecret", .text, "The secret, shown this once.").shownOnce]))
    static let clientSecret = Shape.named(
        "OAuthClientSecret", .object([.required("clientSecret", .text, "The new secret, shown this once.").shownOnce]))

    static let clientDraft = Shape.named(
        "OAuthClientDraft",
        .object([
            .required("name", .text(.free(atMost: AccessLimits.displayNameBytes)), "The name for people."),
            .required(
                "method", .choice(Client.Method.allCases.map(\.rawValue)),
                "How it proves which one it is: by nothing, a secret, a key of its own, or a certificate."),
            .required(
                "flows", .array(of: .choice(Client.Flow.allCases.map(\.rawValue)), atMost: 3),
                "How it gets tokens: for itself, through a browser and a code, or by a code that a person types."),
            .optional("redirects", .array(of: .text, atMost: OAuthLimits.redirects), "Where answers for it may go."),
            .optional(
                "scopes",
                .nullable(
                    .array(of: .choice(Permission.allCases.map(\.rawValue)), atMost: Permission.allCases.count)),
                "The permissions that its tokens may be used for at most; all when left out."),
            .optional("role", .text(.nameOrIdentifier), "What it may do itself, with the flow `itself`."),
            .optional("domain", .text, "Where it may do that, by identifier or path; the whole tenant when left out."),
            .optional("keys", .any, "Its public keys as a JSON Web Key Set, with the method `key`."),
            .optional("certificate", .text, "Its certificate's SHA-256, with the method `certificate`."),
            .reason,
        ]))
}

extension Client {
    fileprivate var json: JSONValue {
        [
            "clientId": .string(id), "name": .string(name), "method": .string(method.rawValue),
            "flows": .array(flows.map(\.rawValue).sorted().map { .string($0) }),
            "redirects": .array(redirects.map { .string($0.text) }),
            "scopes": permissions.map { .array($0.map(\.rawValue).sorted().map { .string($0) }) } ?? .null,
            "principal": principal.map { .string($0.text) } ?? .null,
            "certificate": certificate.map { .string($0.text) } ?? .null, "created": .string(created.rfc3339),
        ]
    }
}
