import Access
import Base
import Northbound
import SignIn

/// The pages about the rules of sign-in, the factors that are demanded, and the second approver.
extension PageTable {
    static func signInRules(_ console: ConsoleParts) -> [Page] {
        [
            console.settings("", .signIn) { try await .show(SignInPages.record($0)) },
            console.settings("/edit", .signIn, needs: .principalManage) {
                try await $0.requireRecent(.signInPolicy)
                return try await .show(SignInPages.form($0, nil))
            },
            console.settings(posting: "/edit", .signIn, needs: .principalManage) { try await SignInPages.change($0) },
            console.settings("/factors", .signIn, needs: .principalManage) {
                try await $0.requireRecent(.signInPolicy)
                return try await .show(SignInPages.demanding($0, $0.query))
            },
            console.settings(posting: "/factors", .signIn, needs: .principalManage) {
                try await SignInPages.demand($0)
            },
            console.settings("/approver", .signIn, needs: .approvalManage) {
                try await .show(SignInPages.approving($0))
            },
            console.settings(posting: "/approver", .signIn, needs: .approvalManage) {
                try await SignInPages.approve($0)
            },
        ]
    }
}

enum SignInPages {
    static func record(_ visit: SettingsVisit) async throws -> SettingsRecord {
        let console = visit.console
        let policy = try await console.signIn.policy(tenant: visit.tenantID, by: visit.principal)
        let factors = try await console.factors.policy(tenant: visit.tenantID, by: visit.principal)
        let needsSecond = try await console.access.needsSecondApprover(tenant: visit.tenantID, by: visit.principal)
        let names = Dictionary(try await visit.roles().map { ($0.id, $0.name.text) }, uniquingKeysWith: { $1 })
        let isManager = visit.can(.principalManage)
        func act(_ role: String?, _ about: String) -> [SettingsAct] {
            let query = role.map { "?role=\($0.percentEncoded)" } ?? ""
            return isManager ? [.link("Change", visit.address("factors") + query, about: about)] : []
        }
        let demands = factors.roles.filter { $0.value > .none }.compactMap { role, level in
            names[role].map { (name: $0, level: level) }
        }.sorted { $0.name < $1.name }
        return SettingsRecord(
            visit.place, "Sign-in rules", lead: "They hold from the next request on, for open sessions as well.",
            panels: [
                .init(
                    "passwords", "Passwords and sessions",
                    facts: [
                        .init("Rules for passwords", .text(policy.profile.words)),
                        .init("Session ends without use after", .text(minutes(policy.idleMinutes))),
                        .init("Session ends in any case after", .text(hours(policy.sessionHours))),
                        .init(
                            "Allowed from", .tags(policy.addressRanges.map(\.description), else: "anywhere")),
                    ], acts: isManager ? [.link("Change", visit.address("edit"), about: "the rules")] : []),
                .init(
                    "rules", "A new password must",
                    lines: policy.profile.checks("").map { .init(name: .text($0.sentence), cells: []) }),
                .init(
                    "factors", "Factors",
                    explains: "Who has nothing that is enough sets it up at the next sign-in. The strongest counts.",
                    lines: [
                        .init(
                            name: .text("Everybody"), cells: [.text(factors.everybody.words)],
                            rowActs: act(nil, "what is demanded of everybody"))
                    ]
                        + demands.map {
                            .init(
                                name: .text($0.name, link: visit.address(of: .roles, $0.name)),
                                cells: [.text($0.level.words)],
                                rowActs: act($0.name, "what is demanded of \($0.name)"))
                        },
                    acts: isManager
                        ? [.link("Demand of a role", visit.address("factors") + "?role=\(Role.owner.name)")] : []),
                .init(
                    "approver", "Second approver",
                    explains: "What concerns administrators' rights or how people sign in always carries a reason. "
                        + "What takes rights away never waits.",
                    facts: [
                        .init(
                            "Changes of security settings",
                            .text(needsSecond ? "need a second approver" : "are made by one alone"))
                    ],
                    acts: visit.can(.approvalManage)
                        ? [.link("Change", visit.address("approver"), about: "the second approver")] : []),
            ] + [try await CampaignApproval.panel(visit)].compactMap { $0 })
    }

    private static func minutes(_ count: Int) -> String {
        count % 60 == 0 ? hours(count / 60) : "\(count) minutes"
    }

    private static func hours(_ count: Int) -> String { count == 1 ? "1 hour" : "\(count) hours" }

    // MARK: - Passwords, sessions, addresses

    static func form(_ visit: SettingsVisit, _ sent: FormFields?) async throws -> SettingsForm {
        let policy = try await visit.console.signIn.policy(tenant: visit.tenantID, by: visit.principal)
        let ranges = policy.addressRanges.map(\.description).joined(separator: "\n")
        return SettingsForm(
            visit.place, "Change the sign-in rules", action: visit.address("edit"),
            fields: [
                .radio(
                    "profile", "Rules for passwords", PasswordProfile.allCases.map { ($0.rawValue, $0.words) },
                    chosen: sent?.text("profile") ?? policy.profile.rawValue,
                    hint: "They hold for new passwords; nobody is asked for another one by this."),
                .text(
                    "idleMinutes", "Session ends without use after",
                    sent?.exact("idleMinutes") ?? "\(policy.idleMinutes)",
                    hint: "Minutes, \(SignInPolicy.idleRange.lowerBound) to \(SignInPolicy.idleRange.upperBound).",
                    type: "number", isRequired: true, longest: 6),
                .text(
                    "sessionHours", "Session ends in any case after",
                    sent?.exact("sessionHours") ?? "\(policy.sessionHours)",
                    hint: "Hours, \(SignInPolicy.hoursRange.lowerBound) to \(SignInPolicy.hoursRange.upperBound).",
                    type: "number", isRequired: true, longest: 6),
                .area(
                    "addresses", "Allowed from", sent?.exact("addresses") ?? ranges,
                    hint: "One network address or range on each line, such as 192.0.2.0/24. Empty is anywhere. "
                        + (visit.principal.address.map { "You come from \($0)." } ?? "")),
                .reason(sent ?? visit.query, isRequired: true),
            ], verb: "Save", back: visit.address())
    }

    static func change(_ visit: SettingsVisit) async throws -> Outcome {
        let sent = visit.form
        return try await form(visit, sent).answering {
            var policy = try await visit.console.signIn.policy(tenant: visit.tenantID, by: visit.principal)
            var faults: [Refusal.Fault] = []
            func number(_ name: String) -> Int {
                let number = sent.text(name).flatMap { Int($0) }
                if number == nil { faults.append(.init(place: name, message: "must be a whole number")) }
                return number ?? 0
            }
            policy.idleMinutes = number("idleMinutes")
            policy.sessionHours = number("sessionHours")
            if let profile = PasswordProfile(rawValue: sent.exact("profile")) {
                policy.profile = profile
            } else {
                faults.append(.init(place: "profile", message: "must be chosen"))
            }
            guard faults.isEmpty else {
                throw Refusal(.invalid, "policy.invalid", "The rules of sign-in can not be read.", faults: faults)
            }
            policy.addressRanges = try sent.ranges("addresses")
            let wanted = policy
            return try await visit.change("signin.policy", wanted.change, done: .saved, to: visit.address()) {
                try await visit.console.signIn.putPolicy(
                    wanted, reason: visit.reason, tenant: visit.tenantID, by: visit.principal)
            }
        }
    }

    // MARK: - Factors

    static func demanding(_ visit: SettingsVisit, _ sent: FormFields) async throws -> SettingsForm {
        let policy = try await visit.console.factors.policy(tenant: visit.tenantID, by: visit.principal)
        let roles = try await visit.roles()
        let named = sent.text("role").flatMap { text in roles.first { $0.name.text == text } }
        let present = named.map { policy.roles[$0.id] ?? .none } ?? policy.everybody
        return SettingsForm(
            visit.place, "Demand a factor",
            effect:
                "Who has nothing that is enough proves what they have and sets up what is missing, in the middle of "
                + "the next sign-in. Open sessions go on.", action: visit.address("factors"),
            fields: [
                .choice(
                    "role", "Of whom", [("", "Everybody")] + roles.map { ($0.name.text, "Who holds \($0.name)") },
                    chosen: sent.text("role") ?? ""),
                .radio(
                    "level", "What", FactorLevel.allCases.map { ($0.rawValue, $0.words) },
                    chosen: sent.text("level") ?? present.rawValue),
                .reason(sent, isRequired: true),
            ], verb: "Save", back: visit.address())
    }

    static func demand(_ visit: SettingsVisit) async throws -> Outcome {
        try await demanding(visit, visit.form).answering {
            guard let level = FactorLevel(rawValue: visit.form.exact("level")) else {
                throw Refusal(
                    .invalid, "level.invalid", "Choose what is demanded.",
                    faults: [.init(place: "level", message: "must be chosen")])
            }
            let role = visit.form.text("role")
            var change: [String: JSONValue] = ["level": .string(level.rawValue)]
            change["role"] = role.map { .string($0) }
            return try await visit.change("factor.policy", .object(change), done: .saved, to: visit.address()) {
                _ = try await visit.console.factors.demand(
                    level, of: role, reason: visit.reason ?? "", tenant: visit.tenantID, by: visit.principal)
            }
        }
    }

    // MARK: - Second approver

    static func approving(_ visit: SettingsVisit) async throws -> SettingsForm {
        let needs = try await visit.console.access.needsSecondApprover(tenant: visit.tenantID, by: visit.principal)
        return SettingsForm(
            visit.place, needs ? "Let one decide alone" : "Want a second approver",
            effect: needs
                ? "Changes of administrators' rights and of these rules are made at once again. To end this takes a second approver itself."
                : "Changes of administrators' rights and of these rules are proposed, and made when another administrator approves them "
                    + "within \(AccessLimits.approvalDays) days. To end it again takes two, so have a second owner first.",
            action: visit.address("approver"), fields: [.reason(visit.form, isRequired: true)],
            verb: needs ? "Let one decide alone" : "Want a second approver", isDangerous: true,
            back: visit.address(), hidden: [("needs", needs ? "no" : "yes")])
    }

    static func approve(_ visit: SettingsVisit) async throws -> Outcome {
        let needs = visit.form.exact("needs") == "yes"
        return try await approving(visit).answering {
            try await visit.change(
                "approval.policy", ["needsSecond": .bool(needs)], done: .saved, to: visit.address()
            ) {
                try await visit.console.access.setNeedsSecondApprover(
                    needs, reason: visit.reason, tenant: visit.tenantID, by: visit.principal)
            }
        }
    }
}

extension SignInPolicy {
    /// It, as a change that can be proposed.
    fileprivate var change: JSONValue {
        [
            "profile": .string(profile.rawValue), "idleMinutes": .integer(Int64(idleMinutes)),
            "sessionHours": .integer(Int64(sessionHours)),
            "addresses": .array(addressRanges.map { .string($0.description) }),
        ]
    }
}

extension PasswordProfile {
    /// What it asks for, in a sentence.
    var words: String {
        switch self {
        case .nist: "By NIST SP 800-63B-4: length, and none that is tried first"
        case .classic: "Classic: 8 to 16 characters of several kinds; recommended by neither NIST nor OWASP"
        }
    }
}

extension FactorLevel {
    /// What it asks for, in a few words.
    var words: String {
        switch self {
        case .none: "Nothing: the password is enough"
        case .any: "Any factor, a telephone included"
        case .code: "An authenticator or a passkey"
        case .passkey: "A passkey"
        }
    }
}
