import Access
import Base
import Northbound
import SignIn

/// The form in which a directory is set up.
enum DirectoryForm {
    /// A setting of a directory as a form asks for it.
    struct Member {
        let name: String
        let label: String
        let value: String?
        var hint: String?
        /// Whether it takes several lines.
        var isLong = false
        var isRequired = false
        /// Whether it says whose people these are, so that it can not be changed.
        var isFixed = false
    }

    static func members(of means: Directory.Means) -> [Member] {
        switch means {
        case .openID(let settings):
            [
                Member(
                    name: "issuer", label: "Issuer", value: settings.issuer,
                    hint: "https://…, as the provider writes it; its documents are found below.", isRequired: true,
                    isFixed: true),
                Member(
                    name: "client", label: "Client", value: settings.client,
                    hint: "The client_id of this server there.",
                    isRequired: true),
                Member(
                    name: "scope", label: "Scope", value: settings.scope, hint: "What is asked for.", isRequired: true),
                Member(
                    name: "groupsClaim", label: "Claim with the groups", value: settings.groupsClaim, isRequired: true),
                authorities(settings.authorities),
            ]
        case .ldap(let settings):
            [
                Member(
                    name: "server", label: "Server", value: settings.server,
                    hint: "ldaps://host, or ldap://host, which is turned to TLS before anything is said.",
                    isRequired: true, isFixed: true),
                Member(
                    name: "base", label: "Base", value: settings.base,
                    hint: "The entry below which people and groups are, such as dc=example,dc=com.", isRequired: true,
                    isFixed: true),
                Member(
                    name: "searcher", label: "Searcher", value: settings.searcher,
                    hint: "Who searches, by their whole name. Empty is nobody in particular."),
                Member(
                    name: "filter", label: "Filter for a person", value: settings.filter,
                    hint: "{user} stands for what they type.", isRequired: true),
                Member(
                    name: "groupFilter", label: "Filter for their groups", value: settings.groupFilter,
                    hint: "Such as (member={dn}). Empty where their entry names the groups."),
                Member(
                    name: "groupAttribute", label: "Attribute with groups", value: settings.groupAttribute,
                    isRequired: true),
                Member(
                    name: "nameAttribute", label: "Attribute with the name", value: settings.nameAttribute,
                    isRequired: true),
                Member(
                    name: "mailAttribute", label: "Attribute with the address", value: settings.mailAttribute,
                    isRequired: true),
                authorities(settings.authorities),
            ]
        }
    }

    private static func authorities(_ value: String?) -> Member {
        Member(
            name: "authorities", label: "Trusted certificates", value: value,
            hint: "PEM, to trust instead of the system's.", isLong: true)
    }

    // MARK: - The form

    private static func fields(
        _ means: Directory.Means, _ known: Directory?, _ sent: FormFields?, _ visit: SettingsVisit
    ) async throws -> [SettingsForm.Field] {
        var fields: [SettingsForm.Field] = []
        if known == nil {
            fields.append(
                .text(
                    "name", "Name", sent?.text("name"), hint: "People choose by it. Letters, digits and . _ : -",
                    isRequired: true, longest: 128))
        }
        for member in members(of: means) where known == nil || !member.isFixed {
            let text = sent.map { $0.exact(member.name) } ?? member.value
            fields.append(
                member.isLong
                    ? .area(member.name, member.label, text, hint: member.hint)
                    : .text(
                        member.name, member.label, text, hint: member.hint, isRequired: member.isRequired,
                        longest: 1000))
        }
        let isOpenID = if case .openID = means { true } else { false }
        fields.insert(
            .text(
                "secret", isOpenID ? "Client secret" : "The searcher's password", nil,
                hint: (known == nil ? "" : "Left empty, the present one stays. ") + "It is sealed and never shown.",
                type: "password", longest: 1000),
            at: 1 + (fields.firstIndex { $0.id == (isOpenID ? "client" : "searcher") } ?? 0))
        func isOn(_ name: String, _ value: Bool?) -> Bool { sent.map { $0.has(name) } ?? value ?? false }
        let rules = sent.map { GroupRuleLines.typed($0) } ?? known?.groups ?? []
        fields += [
            .box(
                "createsAccounts", "Somebody new", "gets an account when a group of theirs has a role",
                isOn: isOn("createsAccounts", known?.createsAccounts)),
            .box(
                "linksAddresses", "Who has an account with the same address", "is taken for its holder",
                isOn: isOn("linksAddresses", known?.linksAddresses),
                hint: "Whoever runs the directory can then be anybody here. Only an owner may want this."),
            .init(
                id: "groups", label: "What its groups are worth",
                hint: "Groups as the directory writes them; an empty domain is the whole organisation. Empty lines are "
                    + "left out; saving gives more of them.",
                rules: GroupRuleLines(rules, roles: try await visit.roles(), domains: try await visit.domains())),
            .reason(sent ?? FormFields()),
        ]
        return fields
    }

    /// The settings that a form describes; what is wrong in them is the part's to say.
    private static func means(_ usual: Directory.Means, _ sent: FormFields) -> Directory.Means {
        switch usual {
        case .openID(var settings):
            settings.issuer = sent.text("issuer") ?? settings.issuer
            settings.client = sent.text("client") ?? ""
            settings.scope = sent.text("scope") ?? ""
            settings.groupsClaim = sent.text("groupsClaim") ?? ""
            settings.authorities = sent.text("authorities")
            return .openID(settings)
        case .ldap(var settings):
            settings.server = sent.text("server") ?? settings.server
            settings.base = sent.text("base") ?? settings.base
            settings.searcher = sent.text("searcher")
            settings.filter = sent.text("filter") ?? ""
            settings.groupFilter = sent.text("groupFilter")
            settings.groupAttribute = sent.text("groupAttribute") ?? ""
            settings.nameAttribute = sent.text("nameAttribute") ?? ""
            settings.mailAttribute = sent.text("mailAttribute") ?? ""
            settings.authorities = sent.text("authorities")
            return .ldap(settings)
        }
    }

    private static func draft(
        _ means: Directory.Means, isEnabled: Bool, _ sent: FormFields
    ) throws -> DirectoryDraft {
        var draft = DirectoryDraft(means, secret: sent.text("secret"))
        draft.isEnabled = isEnabled
        draft.createsAccounts = sent.has("createsAccounts")
        draft.linksAddresses = sent.has("linksAddresses")
        draft.groups = try GroupRuleLines.rules(sent)
        return draft
    }

    // MARK: - Making and changing

    private static func usual(_ visit: SettingsVisit) throws -> Directory.Means {
        switch visit.path("kind") {
        case "openid": .openID(OpenIDSettings(issuer: "", client: ""))
        case "ldap": .ldap(LDAPSettings(server: "", base: ""))
        default: throw Gatekeeper.notHere
        }
    }

    static func making(_ visit: SettingsVisit, _ sent: FormFields?) async throws -> SettingsForm {
        let usual = try usual(visit)
        try await visit.authorize(.principalManage)
        var told: [String] = []
        if case .openID = usual {
            told = [
                "Register this server there first, with the redirect address "
                    + visit.console.directories.returnAddress(of: visit.tenantID)
            ]
        }
        let kind = visit.path("kind")
        return SettingsForm(
            visit.place, kind == "openid" ? "New OpenID provider" : "New LDAP server",
            effect: "People sign in by it as soon as it is set up.", action: visit.address("new", kind),
            fields: try await fields(usual, nil, sent, visit), verb: "Set it up", back: visit.address(), told: told)
    }

    static func make(_ visit: SettingsVisit) async throws -> Outcome {
        let sent = visit.form
        return try await making(visit, sent).answering {
            guard let name = sent.text("name").flatMap({ Name($0) }) else {
                throw Refusal(
                    .invalid, "directory.invalid",
                    "A name is 1 to 128 letters, digits and ._:- and starts with a letter or digit.",
                    faults: [.init(place: "name", message: "is not such a name")])
            }
            let all = try await visit.console.directories.directories(of: visit.tenantID, by: visit.principal)
            guard !all.contains(where: { $0.name == name }) else {
                throw Refusal(
                    .conflict, "directory.exists", "There is a directory of this name already.",
                    faults: [.init(place: "name", message: "is taken")])
            }
            return try await put(name, draft(means(usual(visit), sent), isEnabled: true, sent), visit)
        }
    }

    static func changing(_ visit: SettingsVisit, _ sent: FormFields?) async throws -> SettingsForm {
        let directory = try await DirectoryPages.find(visit)
        let address = visit.address(directory.id.text)
        return SettingsForm(
            visit.place, "Change \(directory.name)",
            effect:
                "At \(directory.place). Another provider or server knows other people: make a directory anew for it.",
            action: address + "/edit", fields: try await fields(directory.means, directory, sent, visit), verb: "Save",
            back: address, crumb: .init(place: directory.name.text, way: address))
    }

    static func change(_ visit: SettingsVisit) async throws -> Outcome {
        let sent = visit.form
        let directory = try await DirectoryPages.find(visit)
        return try await changing(visit, sent).answering {
            try await put(
                directory.name, draft(means(directory.means, sent), isEnabled: directory.isEnabled, sent), visit)
        }
    }

    /// Puts a directory, or proposes it where the organisation wants a second approver; a secret is never proposed.
    static func put(_ name: Name, _ draft: DirectoryDraft, _ visit: SettingsVisit) async throws -> Outcome {
        do {
            let made = try await visit.console.directories.put(
                name, draft, reason: visit.reason, tenant: visit.tenantID, by: visit.principal)
            return .seeOther(visit.address(made.id.text), done: .saved)
        } catch let refusal as Refusal where ["role.unknown", "domain.unknown"].contains(refusal.code) {
            throw Refusal(
                .invalid, "directory.invalid", "A group has a role or a domain that is not there.",
                faults: [.init(place: "groups", message: "names a role or domain that is not there, or not for you")])
        } catch let refusal as Refusal where refusal.code == "approval.needed" {
            _ = try await visit.console.access.propose(
                "directory.put", draft.change(name), reason: visit.reason, tenant: visit.tenantID, by: visit.principal)
            return .seeOther(
                visit.address(of: .changes), done: draft.secret == nil ? .proposed : .proposedWithoutSecret)
        }
    }
}
