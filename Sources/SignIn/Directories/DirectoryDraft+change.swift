import Access
public import Base

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

extension DirectoryDraft {
    /// A directory as it is, without its secret.
    init(_ directory: Directory) {
        self.init(directory.means)
        (isEnabled, groups) = (directory.isEnabled, directory.groups)
        (createsAccounts, linksAddresses) = (directory.createsAccounts, directory.linksAddresses)
    }

    /// The change that proposes this draft under a name, in the words of the API; its secret is left out.
    public func change(_ name: Name) -> JSONValue {
        func text(_ text: String?) -> JSONValue? { text.map { .string($0) } }
        var members: [String: JSONValue] = [
            "name": .string(name.text), "enabled": .bool(isEnabled), "createsAccounts": .bool(createsAccounts),
            "linksAddresses": .bool(linksAddresses),
            "groups": .array(
                groups.map { rule in
                    var members: [String: JSONValue] = ["group": .string(rule.group), "role": .string(rule.role)]
                    members["domain"] = text(rule.domain)
                    return .object(members)
                }),
        ]
        switch means {
        case .openID(let settings):
            members["openid"] = .object(
                [
                    "issuer": text(settings.issuer), "client": text(settings.client), "scope": text(settings.scope),
                    "groupsClaim": text(settings.groupsClaim), "authorities": text(settings.authorities),
                ].compactMapValues(\.self))
        case .ldap(let settings):
            members["ldap"] = .object(
                [
                    "server": text(settings.server), "base": text(settings.base), "searcher": text(settings.searcher),
                    "filter": text(settings.filter), "nameAttribute": text(settings.nameAttribute),
                    "mailAttribute": text(settings.mailAttribute), "groupAttribute": text(settings.groupAttribute),
                    "groupFilter": text(settings.groupFilter), "authorities": text(settings.authorities),
                ].compactMapValues(\.self))
        }
        return .object(members)
    }
}
