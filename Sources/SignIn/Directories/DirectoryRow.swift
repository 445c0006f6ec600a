import Base
import Storage

/// Directories between their table and memory; the settings are one document.
enum DirectoryRow {
    private static let columns = "id, name, enabled, creates, links, settings"

    static func all(of tenant: TenantID, in tx: Transaction) throws -> [Directory] {
        try tx.scoped(to: tenant).rows("SELECT \(columns) FROM directory WHERE tenant = $1 ORDER BY name").map {
            try read($0, tenant)
        }
    }

    static func find(_ id: DirectoryID, of tenant: TenantID, in tx: Transaction) throws -> Directory? {
        try tx.scoped(to: tenant).row("SELECT \(columns) FROM directory WHERE tenant = $1 AND id = $2", id).map {
            try read($0, tenant)
        }
    }

    static func find(_ name: Name, of tenant: TenantID, in tx: Transaction) throws -> Directory? {
        try tx.scoped(to: tenant).row("SELECT \(columns) FROM directory WHERE tenant = $1 AND name = $2", name).map {
            try read($0, tenant)
        }
    }

    static func put(_ directory: Directory, in tx: Transaction) throws {
        try tx.scoped(to: directory.tenant).execute(
            """
            INSERT INTO directory (tenant, id, name, enabled, creates, links, settings)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant, id) DO UPDATE SET
                enabled = excluded.enabled, creates = excluded.creates, links = excluded.links,
                settings = excluded.settings
            """, directory.id, directory.name, directory.isEnabled, directory.createsAccounts,
            directory.linksAddresses, settings(directory).canonical)
    }

    private static func read(_ row: Row, _ tenant: TenantID) throws -> Directory {
        let id: DirectoryID = try row.identifier(0)
        guard let name = Name(try row.text(1)), let json = try? JSONValue(parsing: Array(row.text(5).utf8)),
            let means = means(json)
        else { throw StorageError(.corrupt, "the row of directory \(id) is not readable") }
        var groups: [GroupRule] = []
        if case .array(let rules) = json["groups"] {
            groups = rules.compactMap { rule in
                guard let group = rule["group"]?.string, let role = rule["role"]?.string else { return nil }
                return GroupRule(group: group, role: role, domain: rule["domain"]?.string)
            }
        }
        return Directory(
            id: id, tenant: tenant, name: name, isEnabled: try row.bool(2), createsAccounts: try row.bool(3),
            linksAddresses: try row.bool(4), groups: groups, means: means)
    }

    private static func settings(_ directory: Directory) -> JSONValue {
        var members: [String: JSONValue?]
        switch directory.means {
        case .openID(let openID):
            members = [
                "kind": "openid", "issuer": .string(openID.issuer), "client": .string(openID.client),
                "scope": .string(openID.scope), "groupsClaim": .string(openID.groupsClaim),
                "authorities": openID.authorities.map { .string($0) },
            ]
        case .ldap(let ldap):
            members = [
                "kind": "ldap", "server": .string(ldap.server), "base": .string(ldap.base),
                "searcher": ldap.searcher.map { .string($0) }, "filter": .string(ldap.filter),
                "nameAttribute": .string(ldap.nameAttribute), "mailAttribute": .string(ldap.mailAttribute),
                "groupAttribute": .string(ldap.groupAttribute),
                "groupFilter": ldap.groupFilter.map { .string($0) },
                "authorities": ldap.authorities.map { .string($0) },
            ]
        }
        members["groups"] = .array(
            directory.groups.map { rule in
                var members: [String: JSONValue] = ["group": .string(rule.group), "role": .string(rule.role)]
                members["domain"] = rule.domain.map { .string($0) }
                return .object(members)
            })
        return .object(members.compactMapValues(\.self))
    }

    private static func means(_ json: JSONValue) -> Directory.Means? {
        func text(_ name: String) -> String? { json[name]?.string }
        switch text("kind") {
        case "openid":
            guard let issuer = text("issuer"), let client = text("client"), let scope = text("scope"),
                let groups = text("groupsClaim")
            else { return nil }
            return .openID(
                OpenIDSettings(
                    issuer: issuer, client: client, scope: scope, groupsClaim: groups,
                    authorities: text("authorities")))
        case "ldap":
            guard let server = text("server"), let base = text("base"), let filter = text("filter"),
                let name = text("nameAttribute"), let mail = text("mailAttribute"), let group = text("groupAttribute")
            else { return nil }
            return .ldap(
                LDAPSettings(
                    server: server, base: base, searcher: text("searcher"), filter: filter, nameAttribute: name,
                    mailAttribute: mail, groupAttribute: group, groupFilter: text("groupFilter"),
                    authorities: text("authorities")))
        default: return nil
        }
    }
}
