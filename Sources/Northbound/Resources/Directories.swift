import Access
import Base
import HTTPTypes
import SignIn

/// Where a tenant's people are known already.
extension RouteTable {
    static func directories(_ services: NorthboundServices) -> [Route] {
        let directories = services.directories
        let all = "/api/v1/tenants/{tenant}/directories"
        return [
            Route(
                .get, all, "listDirectories", "Lists the directories by which people sign in, without their secrets.",
                needs: .principalManage, query: Parameter.paging, success: .page(.directory)
            ) { call in
                let found = try await directories.directories(of: call.tenant.id, by: call.principal)
                return try call.page(found.map { ($0.name.text, $0.json) }, .directories)
            },
            Route(
                .get, all + "/{directory}", "getDirectory", "Shows a directory, without its secret.",
                needs: .principalManage, success: .json(.directory)
            ) { call in
                .ok(
                    try await directories.directory(
                        call.path.text("directory"), of: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .put, all + "/{directory}", "putDirectory",
                "Makes a directory, or changes one: an OpenID provider or an LDAP server, and what its groups are worth.",
                needs: .principalManage, body: .json(.directoryDraft), success: .json(.directory)
            ) { call in
                .ok(
                    try await directories.put(
                        call.path.name("directory"), draft(call.body), reason: call.body.textIfAny("reason"),
                        tenant: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .delete, all + "/{directory}", "removeDirectory",
                "Removes a directory with the roles that its groups gave; the accounts stay.", needs: .principalManage,
                query: [.reason], success: .nothing
            ) { call in
                try await directories.remove(
                    call.path.name("directory"), reason: call.query.textIfAny("reason"), tenant: call.tenant.id,
                    by: call.principal)
                return .done
            },
            Route(
                .post, all + "/{directory}/test", "testDirectory",
                "Asks a directory whether it answers as it should; an LDAP server also for a person and their groups.",
                needs: .principalManage,
                body: .json(
                    .named(
                        "DirectoryTest",
                        .object([.optional("user", .text, "The name that a person would type, for an LDAP server.")]))),
                success: .json(
                    .named(
                        "DirectoryTestResult",
                        .object([
                            .required("works", .boolean, "Whether people could sign in by it, as far as that shows."),
                            .required(
                                "findings", .array(of: .text, atMost: 20),
                                "What was found, step by step; the last is what is wrong, if anything is."),
                            .required(
                                "groups", .array(of: .text, atMost: 4000), "The person's groups, as it writes them."),
                        ])))
            ) { call in
                let test = try await directories.test(
                    call.path.name("directory"), user: call.body.textIfAny("user"), tenant: call.tenant.id,
                    by: call.principal)
                return .ok([
                    "works": .bool(test.works), "findings": .array(test.findings.map { .string($0) }),
                    "groups": .array(test.groups.map { .string($0) }),
                ])
            },
        ]
    }

    private static func draft(_ body: Fields) throws -> DirectoryDraft {
        let means: Directory.Means
        if let fields = body.fields("openid"), body.fields("ldap") == nil {
            var settings = OpenIDSettings(issuer: try fields.text("issuer"), client: try fields.text("client"))
            if let scope = fields.textIfAny("scope") { settings.scope = scope }
            if let claim = fields.textIfAny("groupsClaim") { settings.groupsClaim = claim }
            settings.authorities = fields.textIfAny("authorities")
            means = .openID(settings)
        } else if let fields = body.fields("ldap"), body.fields("openid") == nil {
            var settings = LDAPSettings(server: try fields.text("server"), base: try fields.text("base"))
            settings.searcher = fields.textIfAny("searcher")
            if let filter = fields.textIfAny("filter") { settings.filter = filter }
            if let name = fields.textIfAny("nameAttribute") { settings.nameAttribute = name }
            if let mail = fields.textIfAny("mailAttribute") { settings.mailAttribute = mail }
            if let group = fields.textIfAny("groupAttribute") { settings.groupAttribute = group }
            settings.groupFilter = fields.textIfAny("groupFilter")
            settings.authorities = fields.textIfAny("authorities")
            means = .ldap(settings)
        } else {
            throw body.fault("openid", "or ldap must be there, and not both")
        }
        var draft = DirectoryDraft(means, secret: body.textIfAny("secret"))
        if let isEnabled = body.boolIfAny("enabled") { draft.isEnabled = isEnabled }
        draft.createsAccounts = body.boolIfAny("createsAccounts") ?? false
        draft.linksAddresses = body.boolIfAny("linksAddresses") ?? false
        draft.groups = try body.list("groups").map {
            GroupRule(group: try $0.text("group"), role: try $0.text("role"), domain: $0.textIfAny("domain"))
        }
        return draft
    }
}

extension Shape {
    private static let rule = Shape.object([
        .required("group", .text, "The group, as the directory writes it; compared exactly."),
        .required("role", .text(.nameOrIdentifier), "The role that it is worth."),
        .optional("domain", .nullable(.text), "Where, by identifier or path; the whole tenant when left out."),
    ])

    private static let authorities = Member.optional(
        "authorities", .nullable(.text(.free(atMost: 64 << 10))),
        "The certificates to trust (PEM) instead of the system's.")

    private static let openID = Shape.object([
        .required("issuer", .text, "The provider's name, an https address below which its documents are."),
        .required("client", .text, "This server's client_id there."),
        .optional("scope", .text, "What is asked for; `openid profile email` when left out."),
        .optional("groupsClaim", .text, "The claim that names the groups; `groups` when left out."), authorities,
    ])

    private static let ldap = Shape.object([
        .required("server", .text, "`ldaps://host[:port]`, or `ldap://host[:port]` with StartTLS."),
        .required("base", .text, "The entry below which people and groups are."),
        .optional("searcher", .nullable(.text), "Who searches; nobody in particular when left out."),
        .optional("filter", .text, "What finds a person, with `{user}`."),
        .optional("nameAttribute", .text, "The attribute with the name; `cn` when left out."),
        .optional("mailAttribute", .text, "The attribute with the address; `mail` when left out."),
        .optional("groupAttribute", .text, "The attribute that names groups; `memberOf` when left out."),
        .optional("groupFilter", .nullable(.text), "What finds a person's groups, with `{dn}` or `{user}`."),
        authorities,
    ])

    private static let directoryMembers: [Member] = [
        .optional("enabled", .boolean, "Whether people can sign in by it."),
        .optional("createsAccounts", .boolean, "Whether somebody new gets an account, when a group has a role."),
        .optional("linksAddresses", .boolean, "Whether an account is taken for the person with its address."),
        .optional("groups", .array(of: rule, atMost: 500), "What groups are worth."),
        .optional("openid", openID, "How an OpenID provider is asked."),
        .optional("ldap", ldap, "How an LDAP server is asked."),
    ]

    static let directory = Shape.named(
        "Directory",
        .object(
            [
                .required("id", .identifier, "The identifier."),
                .required("name", .name, "The name, for people to choose by."),
            ] + directoryMembers))

    static let directoryDraft = Shape.named(
        "DirectoryDraft",
        .object(
            directoryMembers + [
                .optional(
                    "secret", .text, "The client secret, or the searcher's password; the one there is when left out."),
                .reason,
            ]))
}

extension Directory {
    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = [
            "id": .string(id.text), "name": .string(name.text), "enabled": .bool(isEnabled),
            "createsAccounts": .bool(createsAccounts), "linksAddresses": .bool(linksAddresses),
            "groups": .array(
                groups.map {
                    [
                        "group": .string($0.group), "role": .string($0.role),
                        "domain": $0.domain.map { .string($0) } ?? .null,
                    ]
                }),
        ]
        func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
        switch means {
        case .openID(let settings):
            members["openid"] = [
                "issuer": .string(settings.issuer), "client": .string(settings.client),
                "scope": .string(settings.scope), "groupsClaim": .string(settings.groupsClaim),
                "authorities": text(settings.authorities),
            ]
        case .ldap(let settings):
            members["ldap"] = [
                "server": .string(settings.server), "base": .string(settings.base),
                "searcher": text(settings.searcher), "filter": .string(settings.filter),
                "nameAttribute": .string(settings.nameAttribute), "mailAttribute": .string(settings.mailAttribute),
                "groupAttribute": .string(settings.groupAttribute), "groupFilter": text(settings.groupFilter),
                "authorities": text(settings.authorities),
            ]
        }
        return .object(members)
    }
}
