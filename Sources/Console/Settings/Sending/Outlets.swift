import Access
import Base
import Delivery
import Northbound

/// The pages about outlets.
extension PageTable {
    static func outlets(_ console: ConsoleParts) -> [Page] {
        [
            console.settings("", .outlets) { try await .show(OutletPages.list($0)) },
            console.settings("/new/{kind}", .outlets, needs: .deliveryManage) {
                try await .show(OutletForm.making($0, $0.query))
            },
            console.settings(posting: "/new/{kind}", .outlets, needs: .deliveryManage) {
                try await OutletForm.make($0)
            },
            console.settings("/{outlet}", .outlets) { try await .show(OutletPages.record($0)) },
            console.settings("/{outlet}/edit", .outlets, needs: .deliveryManage) {
                try await .show(OutletForm.changing($0, nil))
            },
            console.settings(posting: "/{outlet}/edit", .outlets, needs: .deliveryManage) {
                try await OutletForm.change($0)
            },
            console.settings("/{outlet}/test", .outlets, needs: .deliveryManage) {
                try await .show(OutletPages.testing($0))
            },
            console.settings(posting: "/{outlet}/test", .outlets, needs: .deliveryManage) {
                try await OutletPages.test($0)
            },
            console.settings("/{outlet}/switch", .outlets, needs: .deliveryManage) {
                try await .show(OutletPages.switching($0))
            },
            console.settings(posting: "/{outlet}/switch", .outlets, needs: .deliveryManage) {
                try await OutletPages.switchOver($0)
            },
            console.settings("/{outlet}/delete", .outlets, needs: .deliveryManage) {
                try await .show(OutletPages.deletion($0))
            },
            console.settings(posting: "/{outlet}/delete", .outlets, needs: .deliveryManage) {
                try await OutletPages.delete($0)
            },
        ]
    }
}

enum OutletPages {
    static func list(_ visit: SettingsVisit) async throws -> SettingsList {
        try await visit.authorize(.deliveryRead)
        let delivery = visit.console.delivery
        let health = try await delivery.health(of: visit.tenantID)
        let all = try await delivery.outlets(of: visit.tenantID)
        let overview = try await delivery.overview(of: visit.tenantID)
        let size = ConsoleLimits.pageSize
        let after = visit.query.text("cursor") ?? ""
        let page = all.filter { $0.name.text > after }.prefix(size)
        let deliveries = visit.address(of: .deliveries)
        func count(_ number: Int, _ state: DeliveryState) -> SettingsCell {
            .text(number.grouped, link: "\(deliveries)?state=\(state.rawValue)")
        }
        return SettingsList(
            visit.place, "Outlets", "Ways out for whatever is sent. Where there is none, mails and text messages rest.",
            heads: ["Name", "Kind", "Where", "State", "Last trouble"],
            rows: page.map { outlet in
                .init(
                    name: .text(outlet.name.text, link: visit.address(outlet.id.text)),
                    cells: [
                        .text(outlet.kind.words), .text(outlet.place),
                        .badge(Badge(outlet, health[outlet.id], now: visit.console.clock.now)),
                        .text(health[outlet.id]?.lastFailure ?? "none"),
                    ])
            }, nothing: "No outlet yet.",
            acts: DeliveryKind.allCases.filter { mayChange($0, visit) }.map {
                .link("New \($0.inSentence)", visit.address("new", $0.rawValue))
            },
            facts: [
                .init("Mail", .badge(overview.canMail ? .good("Leaves") : .warning("Rests in the outbox"))),
                .init("Text messages", .badge(overview.canSMS ? .good("Leave") : .off("Rest in the outbox"))),
                .init("Waiting", count(overview.waiting, .waiting)),
                .init("Oldest that waits", .time(overview.oldestWaiting, else: "none")),
                .init("In the outbox", count(overview.resting, .resting)),
                .init("Dead letters", count(overview.dead, .dead)),
            ],
            next: page.count == size && page.last != all.last
                ? page.last.map { "\(visit.address())?cursor=\($0.name)" } : nil)
    }

    /// Whether acts on outlets of this kind are offered: what carries links and codes is its owners' to change.
    private static func mayChange(_ kind: DeliveryKind, _ visit: SettingsVisit) -> Bool {
        guard visit.can(.deliveryManage) else { return false }
        let most = visit.tenantID == .platform ? Role.platformAdmin : Role.owner
        return !kind.carriesLinks || most.permissions.isSubset(of: visit.held)
    }

    static func find(_ visit: SettingsVisit, _ permission: Permission) async throws -> Outlet {
        try await visit.authorize(permission)
        return try await visit.console.delivery.outlet(visit.path("outlet"), of: visit.tenantID)
    }

    static func record(_ visit: SettingsVisit) async throws -> SettingsRecord {
        let outlet = try await find(visit, .deliveryRead)
        let health = try await visit.console.delivery.health(of: visit.tenantID)[outlet.id]
        let address = visit.address(outlet.id.text)
        return SettingsRecord(
            visit.place, outlet.name.text, lead: outlet.kind.words,
            state: Badge(outlet, health, now: visit.console.clock.now),
            acts: (visit.can(.deliveryManage) ? [.link("Send a test", address + "/test", "primary")] : [])
                + (mayChange(outlet.kind, visit)
                    ? [
                        .link("Change", address + "/edit"),
                        .link(outlet.isActive ? "Switch off" : "Switch on", address + "/switch"),
                        .link("Delete", address + "/delete", "danger"),
                    ] : []),
            panels: [
                .init("settings", "Settings", facts: settings(outlet)),
                .init("health", "How it does", facts: facts(outlet, health, visit)),
            ])
    }

    private static func settings(_ outlet: Outlet) -> [SettingsRecord.Fact] {
        var facts: [SettingsRecord.Fact] = OutletForm.members(of: outlet.kind).compactMap { member in
            guard let value = outlet.settings[member.name] else { return nil }
            let cell: SettingsCell
            switch value {
            case .string(let text) where text.isEmpty: return nil
            case .string(let text): cell = member.isLong ? .code(text) : .text(text)
            case .array(let items): cell = .tags(items.compactMap(\.string), else: "none")
            case .object(let fields): cell = .tags(fields.keys.sorted())
            default: cell = .text(value.canonical)
            }
            return .init(member.label, cell)
        }
        if outlet.kind != .syslog {
            facts.append(.init("Secret", .text(outlet.hasSecret ? "kept, and never shown" : "none")))
        }
        return facts
    }

    private static func facts(
        _ outlet: Outlet, _ health: OutletHealth?, _ visit: SettingsVisit
    ) -> [SettingsRecord.Fact] {
        var facts: [SettingsRecord.Fact] = [
            .init("Failures in a row", .text("\(health?.failures ?? 0)")),
            .init("Nothing is tried before", .time(health?.pausedUntil, else: "not paused")),
            .init("Last trouble", .text(health?.lastFailure ?? "none")),
        ]
        if let position = health?.position {
            facts.append(.init("Audit entries passed", .text(Int(position).grouped)))
            facts.append(.init("Last sent", .time(health?.sent, else: "nothing yet")))
        }
        if outlet.kind == .webhook {
            facts.append(
                .init(
                    "Deliveries", .text("show them", link: "\(visit.address(of: .deliveries))?outlet=\(outlet.id)")))
        }
        return facts + [.init("Made", .time(outlet.created)), .init("Changed", .time(outlet.changed))]
    }

    // MARK: - Acts

    static func testing(_ visit: SettingsVisit) async throws -> SettingsForm {
        let outlet = try await find(visit, .deliveryManage)
        let address = visit.address(outlet.id.text)
        let fields: [SettingsForm.Field] =
            switch outlet.kind {
            case .mail: [.text("to", "To", visit.form.text("to"), type: "email", isRequired: true, longest: 254)]
            case .sms:
                [
                    .text(
                        "to", "To", visit.form.text("to"), hint: "A number such as +4930123456.", type: "tel",
                        isRequired: true, longest: 20)
                ]
            case .webhook, .syslog: []
            }
        return SettingsForm(
            visit.place, "Send a test through \(outlet.name)",
            effect: "It is sent at once, beside the queue and without a second attempt. One that arrives ends a pause.",
            action: address + "/test", fields: fields, verb: "Send a test", back: address,
            crumb: .init(place: outlet.name.text, way: address))
    }

    static func test(_ visit: SettingsVisit) async throws -> Outcome {
        let outlet = try await find(visit, .deliveryManage)
        let address = visit.address(outlet.id.text)
        return try await testing(visit).answering {
            let trial = try await visit.console.delivery.tryOutlet(
                outlet.id.text, kind: nil, to: visit.form.text("to"), tenant: visit.tenantID,
                by: visit.principal.actor(in: visit.tenantID))
            return .show(
                SettingsRecord(
                    visit.place, "Test through \(outlet.name)",
                    lead: trial.isDelivered ? "The receiver has taken it." : "It did not arrive.",
                    state: trial.isDelivered ? .good("Delivered") : .critical("Failed"),
                    acts: [.link("Again", address + "/test"), .link("To the outlet", address, "primary")],
                    panels: [.init("result", "What happened", facts: [.init("Answer", .text(trial.result))])]))
        }
    }

    static func switching(_ visit: SettingsVisit) async throws -> SettingsForm {
        let outlet = try await find(visit, .deliveryManage)
        try await OutletForm.authorize(outlet.kind, [outlet.settings], visit)
        let address = visit.address(outlet.id.text)
        let effect =
            switch (outlet.isActive, outlet.kind.carriesLinks) {
            case (true, true): "What it carried leaves by another one, or by the server's; or it rests in the outbox."
            case (true, false): "Nothing leaves by it until it is switched on again."
            case (false, true): "What is sent leaves by it again, unless an older one is in use."
            case (false, false): "What waits leaves by it again."
            }
        return SettingsForm(
            visit.place, outlet.isActive ? "Switch \(outlet.name) off?" : "Switch \(outlet.name) on?", effect: effect,
            action: address + "/switch", fields: reason(outlet, visit),
            verb: outlet.isActive ? "Switch off" : "Switch on", isDangerous: outlet.isActive, back: address,
            crumb: .init(place: outlet.name.text, way: address), hidden: [("to", outlet.isActive ? "off" : "on")])
    }

    static func switchOver(_ visit: SettingsVisit) async throws -> Outcome {
        let outlet = try await find(visit, .deliveryManage)
        return try await switching(visit).answering {
            let change = OutletChange(isActive: visit.form.exact("to") == "on")
            return try await visit.change("outlet.put", change.change(of: outlet.id)) {
                _ = try await visit.outlets.change(
                    outlet.id.text, change, reason: visit.reason, tenant: visit.tenantID, by: visit.principal)
                return .seeOther(visit.address(outlet.id.text), done: .changed)
            }
        }
    }

    static func deletion(_ visit: SettingsVisit) async throws -> SettingsForm {
        let outlet = try await find(visit, .deliveryManage)
        try await OutletForm.authorize(outlet.kind, [], visit)
        let address = visit.address(outlet.id.text)
        return SettingsForm(
            visit.place, "Delete \(outlet.name)?", effect: "What waits for it alone is given up. Its secret is gone.",
            action: address + "/delete", fields: reason(outlet, visit), verb: "Delete", isDangerous: true,
            back: address, crumb: .init(place: outlet.name.text, way: address))
    }

    static func delete(_ visit: SettingsVisit) async throws -> Outcome {
        let outlet = try await find(visit, .deliveryManage)
        return try await deletion(visit).answering {
            try await visit.change("outlet.delete", ["outlet": .string(outlet.id.text)]) {
                try await visit.outlets.delete(
                    outlet.id.text, reason: visit.reason, tenant: visit.tenantID, by: visit.principal)
                return .seeOther(visit.address(), done: .deleted)
            }
        }
    }

    private static func reason(_ outlet: Outlet, _ visit: SettingsVisit) -> [SettingsForm.Field] {
        outlet.kind.carriesLinks ? [.reason(visit.form, isRequired: true)] : []
    }
}

extension Outlet {
    /// Where it leads, in a line.
    var place: String {
        if let address = settings["url"]?.string { return address }
        guard let host = settings["host"]?.string else { return "" }
        return settings["port"]?.integer.map { "\(host):\($0)" } ?? host
    }
}

extension DeliveryKind {
    /// What people call an outlet of it.
    var words: String {
        switch self {
        case .mail: "Mail server"
        case .sms: "SMS gateway"
        case .webhook: "Webhook"
        case .syslog: "Syslog receiver"
        }
    }

    /// The same within a sentence.
    var inSentence: String { self == .sms ? words : words.lowercased() }
}

extension Badge {
    /// How an outlet does.
    init(_ outlet: Outlet, _ health: OutletHealth?, now: Timestamp) {
        if !outlet.isActive {
            self = .off("Switched off")
        } else if let until = health?.pausedUntil, until > now {
            self = .critical("Paused")
        } else if let failures = health?.failures, failures > 0 {
            self = .warning("Failing")
        } else {
            self = .good("In use")
        }
    }
}
