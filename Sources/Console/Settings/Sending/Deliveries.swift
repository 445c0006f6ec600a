import Access
import Base
import Delivery
import Northbound
import Storage

/// The pages about what is sent out.
extension PageTable {
    static func deliveries(_ console: ConsoleParts) -> [Page] {
        [
            console.settings("", .deliveries) { try await .show(DeliveryPages.list($0)) },
            console.settings("/replay", .deliveries, needs: .deliveryManage) {
                try await .show(DeliveryPages.replaying($0))
            },
            console.settings(posting: "/replay", .deliveries, needs: .deliveryManage) {
                try await DeliveryPages.replay($0)
            },
            console.settings("/{delivery}", .deliveries) { try await .show(DeliveryPages.record($0, nil)) },
            console.settings(posting: "/{delivery}", .deliveries, needs: .deliveryManage) {
                try await DeliveryPages.act($0)
            },
        ]
    }
}

enum DeliveryPages {
    private static func filter(_ fields: FormFields) -> DeliveryFilter {
        DeliveryFilter(
            state: fields.text("state").flatMap(DeliveryState.init),
            kind: fields.text("kind").flatMap(DeliveryKind.init),
            outlet: fields.text("outlet").flatMap { OutletID(text: $0) })
    }

    /// Decides whether the visitor may read deliveries of this kind, or send them again; nil is every kind.
    private static func authorize(_ kind: DeliveryKind?, _ visit: SettingsVisit) async throws {
        let (access, principal, tenant) = (visit.console.access, visit.principal, visit.tenantID)
        try await visit.console.database.tenant(tenant).read { tx in
            try access.authorizeDeliveries(principal, kind, of: tenant, in: tx)
        }
    }

    static func list(_ visit: SettingsVisit) async throws -> SettingsList {
        try await visit.authorize(.deliveryRead)
        let size = ConsoleLimits.pageSize
        let filter = filter(visit.query)
        let delivery = visit.console.delivery
        let found = try await delivery.deliveries(
            of: visit.tenantID, filter, before: visit.query.text("cursor").flatMap { DeliveryID(text: $0) }, limit: size
        )
        let outlets = Dictionary(
            try await delivery.outlets(of: visit.tenantID).map { ($0.id, $0.name.text) }, uniquingKeysWith: { $1 })
        let kept = filter.outlet.map { "outlet=\($0)&" } ?? ""
        let canReplay =
            visit.can(.deliveryManage) && visit.can(.auditRead) && (filter.state == .dead || filter.state == .resting)
        return SettingsList(
            visit.place, "Deliveries",
            filter.outlet.flatMap { outlets[$0] }.map { "What was to leave by \($0)." }
                ?? "Everything that was to be sent, the newest first.",
            heads: ["Message", "State", "Way", "Attempts", "Result", "Made", "Tried next"],
            rows: found.map { info in
                .init(
                    name: .text(info.words, link: visit.address(info.id.text)),
                    cells: [
                        .badge(Badge(info.state)), .text(info.outlet.flatMap { outlets[$0] } ?? info.kind.words),
                        .text("\(info.attempts)"), .text(info.result ?? "–"), .time(info.created),
                        .time(info.state == .waiting ? info.due : nil, else: "–"),
                    ])
            }, nothing: filter.state == nil ? "Nothing was sent yet." : "There is none of these.",
            acts: canReplay && !found.isEmpty
                ? [
                    .link(
                        "Replay all",
                        visit.address("replay") + "?\(kept)state=\(filter.state?.rawValue ?? "")", "primary")
                ] : [],
            filters: [
                .init(
                    choice: "All", leads: visit.address() + (kept.isEmpty ? "" : "?" + kept.dropLast()),
                    isChosen: filter.state == nil)
            ]
                + DeliveryState.allCases.map {
                    .init(
                        choice: Badge($0).word, leads: "\(visit.address())?\(kept)state=\($0.rawValue)",
                        isChosen: filter.state == $0)
                },
            next: found.count == size
                ? found.last.map {
                    "\(visit.address())?\(kept)\(filter.state.map { "state=\($0.rawValue)&" } ?? "")cursor=\($0.id)"
                } : nil)
    }

    private static func find(_ visit: SettingsVisit, _ permission: Permission) async throws -> DeliveryInfo {
        try await visit.authorize(permission)
        guard let id = DeliveryID(text: visit.path("delivery")) else { throw Gatekeeper.notHere }
        return try await visit.console.delivery.delivery(id, of: visit.tenantID)
    }

    static func record(_ visit: SettingsVisit, _ content: JSONValue?) async throws -> SettingsRecord {
        let info = try await find(visit, .deliveryRead)
        let address = visit.address(info.id.text)
        var acts: [SettingsAct] = []
        if visit.can(.deliveryManage) {
            // The events of webhooks are the audit log's.
            let isFree = info.kind != .webhook || visit.can(.auditRead)
            if content == nil, !info.isConfidential, isFree { acts.append(.button("Read", address, "read")) }
            if isFree {
                acts.append(.button(info.state == .waiting ? "Try now" : "Replay", address, "replay", "primary"))
            }
            if info.state.isOpen { acts.append(.button("Give up", address, "discard", "danger")) }
        }
        let outlet = try await visit.console.delivery.outlets(of: visit.tenantID).first { $0.id == info.outlet }
        var panels: [SettingsRecord.Panel] = [
            .init(
                "delivery", "Delivery",
                facts: [
                    .init("By", .text(info.kind.words)),
                    .init(
                        "Outlet",
                        .text(
                            outlet?.name.text ?? (info.kind == .webhook ? "deleted" : "whichever there is then"),
                            link: outlet.map { visit.address(of: .outlets, $0.id.text) })),
                    .init("To", .text(info.to ?? "–")), .init("Event", .text(info.event ?? "–")),
                    .init("Attempts", .text("\(info.attempts)")),
                    .init("Result", .text(info.result ?? "not tried yet")), .init("Made", .time(info.created)),
                    .init("Tried next", .time(info.state == .waiting ? info.due : nil, else: "–")),
                    .init("Of no use from", .time(info.expires, else: "–")),
                    .init("Finished", .time(info.finished, else: "–")), .init("Identifier", .code(info.id.text)),
                ])
        ]
        if let content {
            let words = content["subject"]?.string.map { ["Subject: \($0)"] } ?? []
            let text = content["text"]?.string ?? content["body"]?.canonical ?? ""
            panels.append(
                .init("content", "What it says", text: (words + [text]).joined(separator: "\n\n")))
        }
        return SettingsRecord(visit.place, info.words, state: Badge(info.state), acts: acts, panels: panels)
    }

    static func act(_ visit: SettingsVisit) async throws -> Outcome {
        let info = try await find(visit, .deliveryManage)
        let (delivery, actor) = (visit.console.delivery, visit.principal.actor(in: visit.tenantID))
        let address = visit.address(info.id.text)
        if visit.form.exact("act") != "discard" { try await authorize(info.kind, visit) }
        switch visit.form.exact("act") {
        case "read":
            let content = try await delivery.content(of: info.id, tenant: visit.tenantID, by: actor)
            return .show(try await record(visit, content))
        case "replay":
            _ = try await delivery.replay(info.id, tenant: visit.tenantID, by: actor)
            return .seeOther(address, done: .replayed)
        case "discard":
            _ = try await delivery.discard(info.id, tenant: visit.tenantID, by: actor)
            return .seeOther(address, done: .discarded)
        default: throw Refusal(.invalid, "act.unknown", "There is no such action.")
        }
    }

    // MARK: - Many at once

    static func replaying(_ visit: SettingsVisit) async throws -> SettingsForm {
        try await visit.authorize(.deliveryManage)
        let fields = visit.form.has("state") ? visit.form : visit.query
        let filter = filter(fields)
        guard let state = filter.state, state == .dead || state == .resting else { throw Gatekeeper.notHere }
        try await authorize(filter.kind, visit)
        let kept = filter.outlet.map { [("outlet", $0.text)] } ?? []
        return SettingsForm(
            visit.place, state == .dead ? "Replay the dead letters?" : "Send what rests in the outbox?",
            effect:
                "Up to \(DeliveryLimits.page.grouped) are put into the queue again, as if they had never been tried.",
            action: visit.address("replay"), fields: [], verb: "Replay all",
            back: "\(visit.address())?state=\(state.rawValue)", hidden: [("state", state.rawValue)] + kept)
    }

    static func replay(_ visit: SettingsVisit) async throws -> Outcome {
        try await replaying(visit).answering {
            _ = try await visit.console.delivery.replayAll(
                filter(visit.form), tenant: visit.tenantID, by: visit.principal.actor(in: visit.tenantID))
            return .seeOther(visit.address(), done: .replayed)
        }
    }
}

extension DeliveryInfo {
    /// What it is, in a line.
    var words: String {
        switch kind {
        case .mail: to.map { "Mail to \($0)" } ?? "Mail"
        case .sms: to.map { "Text message to \($0)" } ?? "Text message"
        case .webhook: event.map { "Event \($0)" } ?? "Event"
        case .syslog: "Syslog"
        }
    }
}

extension Badge {
    /// How far a delivery has come.
    init(_ state: DeliveryState) {
        self =
            switch state {
            case .waiting: .warning("Waiting")
            case .resting: .off("In the outbox")
            case .delivered: .good("Delivered")
            case .dead: .critical("Dead letter")
            case .discarded: .off("Given up")
            case .expired: .off("Too late")
            }
    }
}
