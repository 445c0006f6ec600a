import Access
import Base
import HTTPTypes

/// Bearer tokens.
extension RouteTable {
    static func tokens(_ services: NorthboundServices) -> [Route] {
        let access = services.access
        let all = "/api/v1/tenants/{tenant}/tokens"
        return [
            Route(
                .get, all, "listTokens", "Lists the tokens, without their secrets.", needs: .principalRead,
                query: Parameter.paging, success: .page(.token)
            ) { call in
                let after = try call.cursor(.tokens).flatMap { CredentialID(text: $0) }
                let found = try await access.tokens(
                    tenant: call.tenant.id, after: after, limit: call.limit, by: call.principal)
                let next = found.count == call.limit ? found.last.map { Cursor.tokens.text($0.id.text) } : nil
                return .page(found.map(\.json), next: next)
            },
            Route(
                .post, all, "createToken",
                "Makes a client with a role and a token for it, whose secret is shown this once.",
                needs: .principalManage,
                body: .json(
                    .named(
                        "TokenDraft",
                        .object([
                            .required("role", .text(.nameOrIdentifier), "What it may do."),
                            .optional("domain", .text, "Where, by identifier or path; the whole tenant when left out."),
                            .optional("name", .text(.free(atMost: AccessLimits.displayNameBytes)), "What it is for."),
                            .optional("expires", .time, "When it ends; never when left out."),
                            .optional("days", .integer(1...3660), "After how many days it ends, instead of a time."),
                            .optional(
                                "scopes",
                                .array(
                                    of: .choice(Permission.allCases.map(\.rawValue)), atMost: Permission.allCases.count),
                                "What may be used through it of what the role allows; all when left out."),
                            .optional(
                                "addresses",
                                .array(of: .text(.free(atMost: 64)), atMost: AccessLimits.addressRanges),
                                "From where it may be used, such as 192.0.2.0/24; from anywhere when left out."),
                            .reason,
                        ]))), success: .created(.newToken)
            ) { call in
                if call.body.contains("expires"), call.body.contains("days") {
                    throw call.body.fault("days", "can not stand beside expires")
                }
                let days = call.body.integerIfAny("days").map { services.clock.now + .seconds($0 * 86_400) }
                let scopes = call.body.value("scopes").map { _ in
                    Set(call.body.texts("scopes").compactMap(Permission.init(rawValue:)))
                }
                let addresses = try call.body.texts("addresses").map { text in
                    guard let range = AddressRange(text) else {
                        throw call.body.fault(
                            "addresses", "must be addresses or ranges such as 192.0.2.0/24, not \(text)")
                    }
                    return range
                }
                let made = try await access.createToken(
                    role: call.body.text("role"), at: call.body.textIfAny("domain"), name: call.body.textIfAny("name"),
                    expires: try days ?? call.body.timeIfAny("expires"), permissions: scopes, addresses: addresses,
                    reason: call.body.textIfAny("reason"),
                    tenant: call.tenant.id, by: call.principal)
                guard case .object(var members) = made.token.json else { return .done }
                members["token"] = .string(made.secret)
                return .created(
                    .object(members), at: "/api/v1/tenants/\(call.tenant.slug)/tokens/\(made.token.id)")
            },
            Route(
                .delete, all + "/{token}", "revokeToken", "Ends a token at once.", needs: .principalManage,
                success: .nothing
            ) { call in
                try await access.revokeToken(call.path.identifier("token"), tenant: call.tenant.id, by: call.principal)
                return .done
            },
        ]
    }
}

extension Shape {
    private static let tokenMembers: [Member] = [
        .required("id", .identifier, "The identifier."),
        .required("name", .text, "What it is for."),
        .required("principal", .identifier, "The client that acts with it."),
        .required("created", .time, "When it was made."),
        .required("expires", .nullable(.time), "When it ends."),
        .required("lastUsed", .nullable(.time), "When it was last used, to the minute."),
        .required("revoked", .nullable(.time), "When it was ended early."),
        .required(
            "scopes", .nullable(.array(of: .text, atMost: 1000)),
            "What may be used through it of what its role allows; null is all."),
        .required(
            "addresses", .array(of: .text, atMost: AccessLimits.addressRanges),
            "From where it may be used; none is anywhere."),
    ]

    static let token = Shape.named("Token", .object(tokenMembers))
    static let newToken = Shape.named(
        "NewToken", .object(tokenMembers + [.required("token", .text, "The secret, shown this once.").shownOnce]))
}

extension CredentialInfo {
    fileprivate var json: JSONValue {
        func time(_ time: Timestamp?) -> JSONValue { time.map { .string($0.rfc3339) } ?? .null }
        return [
            "id": .string(id.text), "name": .string(name), "principal": .string(principal.text),
            "created": .string(created.rfc3339), "expires": time(expires), "lastUsed": time(lastUsed),
            "revoked": time(revoked),
            "scopes": permissions.map { .array($0.map(\.rawValue).sorted().map { .string($0) }) } ?? .null,
            "addresses": .array(addresses.map { .string($0.description) }),
        ]
    }
}
