import Access
import Base
import Delivery
import Northbound
import SignIn

/// The pages about people's accounts.
extension PageTable {
    static func users(_ console: ConsoleParts) -> [Page] {
        [
            console.settings("", .users) { try await .show(UserPages.list($0)) },
            console.settings("/invite", .users, needs: .principalManage) {
                try await .show(UserPages.invitation($0, $0.query))
            },
            console.settings(posting: "/invite", .users, needs: .principalManage) { try await UserPages.invite($0) },
            console.settings("/{user}", .users) { try await .show(UserPages.record($0)) },
            console.settings("/{user}/edit", .users, needs: .principalManage) {
                try await .show(UserPages.edit($0, nil))
            },
            console.settings(posting: "/{user}/edit", .users, needs: .principalManage) {
                try await UserPages.change($0)
            },
            console.settings("/{user}/{act}", .users, needs: .principalManage) {
                try await .show(UserAct.named($0).form($0))
            },
            console.settings(posting: "/{user}/{act}", .users, needs: .principalManage) {
                try await UserAct.named($0).run($0)
            },
            console.settings(posting: "/{user}/sessions/{session}/end", .users, needs: .principalManage) {
                try await UserPages.endSession($0)
            },
        ]
    }
}

enum UserPages {
    // MARK: - The list

    static func list(_ visit: SettingsVisit) async throws -> SettingsList {
        let size = ConsoleLimits.pageSize
        let people = try await visit.console.signIn.people(
            tenant: visit.tenantID, after: visit.query.text("cursor") ?? "", limit: size, by: visit.principal)
        return SettingsList(
            visit.place, "Users", "Everybody who has an account in this organisation. Nobody signs up by themselves.",
            heads: ["Name", "Address", "Status", "Factors", "Roles", "Last sign-in"],
            rows: people.map { person in
                let account = person.account
                return .init(
                    name: .text(account.name, link: visit.address(account.principal.text)),
                    cells: [
                        .text(account.address.text), .badge(Badge(account.status)), .badge(Badge(person.factors)),
                        .tags(person.roles, else: "none"), .time(account.lastSignIn, else: "never"),
                    ])
            }, nothing: "There are no accounts yet.",
            acts: visit.can(.principalManage) ? [.link("Invite", visit.address("invite"), "primary")] : [],
            next: people.count == size
                ? people.last.map {
                    "\(visit.address())?cursor=\($0.account.address.text.percentEncoded)"
                } : nil)
    }

    // MARK: - Inviting

    static func invitation(_ visit: SettingsVisit, _ form: FormFields) async throws -> SettingsForm {
        let console = visit.console
        let delivery = console.delivery
        let canMail = try await delivery.can(.mail, for: visit.tenantID)
        return SettingsForm(
            visit.place, "Invite somebody",
            effect: "They get an account with one role, and a link by which they choose a password. It works once, for "
                + "\(SignInLimits.invitationDays) days. "
                + (canMail
                    ? "It goes to them by mail."
                    : "No mail can be sent from here yet, so you see it once and hand it over yourself."),
            action: visit.address("invite"),
            fields: [
                .text(
                    "address", "E-mail address", form.text("address"), type: "email", isRequired: true,
                    longest: SignInLimits.addressCharacters),
                .text("name", "Name", form.text("name"), hint: "Left empty, it is what stands before the @."),
            ] + (try await GrantPages.fields(visit, form)), verb: "Invite", back: visit.address())
    }

    static func invite(_ visit: SettingsVisit) async throws -> Outcome {
        let (form, console) = (visit.form, visit.console)
        return try await invitation(visit, form).answering {
            let made = try await console.signIn.invite(
                form.text("address") ?? "", name: form.text("name"), role: form.text("role") ?? "",
                at: form.text("domain"), until: form.endOfDay("until"), reason: visit.reason, tenant: visit.tenantID,
                by: visit.principal)
            return handed(made, visit, "\(made.account.name) is invited", done: .invited)
        }
    }

    /// The link to hand over, or where to go when it was mailed.
    static func handed(_ made: Invitation, _ visit: SettingsVisit, _ title: String, done: Done) -> Outcome {
        let address = visit.address(made.account.principal.text)
        guard let link = made.link else { return .seeOther(address, done: done) }
        return .show(
            SecretPage(
                visit.place, title,
                "Hand this link to \(made.account.name) yourself, by a way that nobody else reads. It works once and is "
                    + "not shown again.", secret: link.url, label: "Link", until: link.expires, back: address))
    }

    // MARK: - Changing

    static func edit(_ visit: SettingsVisit, _ form: FormFields?) async throws -> SettingsForm {
        let account = try await visit.console.signIn.account(
            visit.path("user"), tenant: visit.tenantID, by: visit.principal)
        let address = visit.address(account.principal.text)
        let ranges = account.addressRanges.map(\.description).joined(separator: "\n")
        return SettingsForm(
            visit.place, "Change \(account.name)", action: address + "/edit",
            fields: [
                .text("name", "Name", form.map { $0.exact("name") } ?? account.name, isRequired: true),
                .area(
                    "addresses", "Allowed from", form.map { $0.exact("addresses") } ?? ranges,
                    hint: "One network address or range on each line, such as 192.0.2.0/24. Empty is anywhere. Counts "
                        + "beside the organisation's own list."),
                .box(
                    "mustChange", "Password", "Ask for a new one at the next sign-in",
                    isOn: form.map { $0.has("mustChange") } ?? account.mustChangePassword),
            ], verb: "Save", back: address, crumb: .init(place: account.name, way: address))
    }

    static func change(_ visit: SettingsVisit) async throws -> Outcome {
        let form = visit.form
        return try await edit(visit, form).answering {
            let account = try await visit.console.signIn.changeAccount(
                visit.path("user"), name: form.exact("name"), addressRanges: try form.ranges("addresses"),
                mustChangePassword: form.has("mustChange"), tenant: visit.tenantID, by: visit.principal)
            return .seeOther(visit.address(account.principal.text), done: .saved)
        }
    }

    static func endSession(_ visit: SettingsVisit) async throws -> Outcome {
        guard let session = CredentialID(text: visit.path("session")) else { throw Gatekeeper.notHere }
        let user = visit.path("user")
        try await visit.console.signIn.endSessions(
            of: user, session, tenant: visit.tenantID, by: visit.principal)
        return .seeOther(visit.address(user), done: .sessionsEnded)
    }
}

extension FormFields {
    /// The address ranges that a field names, one on each line.
    func ranges(_ name: String) throws -> [AddressRange] {
        let lines = exact(name).split { $0.isWhitespace || $0 == "," }.map(String.init)
        return try AddressRanges.parse(lines, at: name)
    }
}

extension Badge {
    /// Whether somebody can sign in.
    init(_ status: Account.Status) {
        self =
            switch status {
            case .active: .good("Active")
            case .invited: .off("Invited")
            case .disabled: .critical("Disabled")
            }
    }

    /// Whether somebody has more than a password.
    init(_ factors: Set<FactorMethod>) {
        self =
            factors.isEmpty
            ? .warning("None") : .good(factors.map(\.words).sorted().joined(separator: ", "))
    }
}

extension FactorMethod {
    /// What people call it.
    var words: String {
        switch self {
        case .passkey: "Passkey"
        case .totp: "Authenticator"
        case .sms: "Telephone"
        case .recovery: "Recovery code"
        }
    }
}
