import Access
import Base

extension ChangeKind {
    /// A directory that is taken for the holders of accounts, or gives administrators' roles.
    static let directoryPut = ChangeKind("directory.put")
}

extension DirectoryDraft {
    /// The draft that a proposed change describes, in the words of the API; without a secret, because people read what is
    /// proposed.
    init(change: JSONValue) throws {
        switch (change["openid"], change["ldap"]) {
        case (let openid?, nil):
            guard let issuer = openid["issuer"]?.string else { throw Access.unreadable("openid/issuer") }
            guard let client = openid["client"]?.string else { throw Access.unreadable("openid/client") }
            var settings = OpenIDSettings(issuer: issuer, client: client)
            if let scope = openid["scope"]?.string { settings.scope = scope }
            if let claim = openid["groupsClaim"]?.string { settings.groupsClaim = claim }
            settings.authorities = openid["authorities"]?.string
            self.init(.openID(settings))
        case (nil, let ldap?):
            guard let server = ldap["server"]?.string else { throw Access.unreadable("ldap/server") }
            guard let base = ldap["base"]?.string else { throw Access.unreadable("ldap/base") }
            var settings = LDAPSettings(server: server, base: base)
            settings.searcher = ldap["searcher"]?.string
            if let filter = ldap["filter"]?.string { settings.filter = filter }
            if let name = ldap["nameAttribute"]?.string { settings.nameAttribute = name }
            if let mail = ldap["mailAttribute"]?.string { settings.mailAttribute = mail }
            if let group = ldap["groupAttribute"]?.string { settings.groupAttribute = group }
            settings.groupFilter = ldap["groupFilter"]?.string
            settings.authorities = ldap["authorities"]?.string
            self.init(.ldap(settings))
        default: throw Access.unreadable("openid")
        }
        guard change["secret"] == nil else { throw Access.unreadable("secret") }
        isEnabled = change["enabled"] != false
        createsAccounts = change["createsAccounts"] == true
        linksAddresses = change["linksAddresses"] == true
        guard let groups = change["groups"] else { return }
        guard case .array(let rules) = groups, rules.count <= DirectoryLimits.rules else {
            throw Access.unreadable("groups")
        }
        self.groups = try rules.map { rule in
            guard let group = rule["group"]?.string, let role = rule["role"]?.string else {
                throw Access.unreadable("groups")
            }
            return GroupRule(group: group, role: role, domain: rule["domain"]?.string)
        }
    }
}
