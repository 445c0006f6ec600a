import Access
import Base
import Delivery
import Fleet
import Storage

/// The words of messages about alerts: what happened, since when, what to do, and where all of it is.
struct AlertWords {
    private let watch: Watch
    private let tenant: TenantID
    private let transaction: Transaction
    private let organisation: String
    private let zone: TimeZoneName?
    private let home: String
    private var places: DomainWords

    init(_ watch: Watch, _ tenant: TenantID, in transaction: Transaction) {
        (self.watch, self.tenant, self.transaction) = (watch, tenant, transaction)
        let known = watch.access.directory.tenant(tenant)
        organisation = known?.name ?? tenant.text
        zone = known?.timeZone
        home = "\(watch.place())/t/\(known?.slug.text ?? tenant.text)/alerts"
        places = DomainWords()
    }

    // MARK: - Mail

    /// The mails about these alerts: one for each, or one about all when they are many.
    mutating func mails(
        _ told: [(notice: AlertNotices.Notice, rule: AlertRule)]
    ) throws -> [(subject: String, text: String)] {
        guard told.count > WatchLimits.single else {
            return try told.map { notice, rule in
                (Self.line("[\(organisation)] \(try headline(notice))"), try mail(notice, rule))
            }
        }
        let (grown, over) = (told.count { $0.notice.isGrown }, told.count { $0.notice.isEnd })
        let what = [
            (told.count - grown - over, "new alerts"), (grown, "have grown"), (over, "are over"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        var lines = try told.prefix(WatchLimits.listed).map { "- \(try headline($0.notice))" }
        if told.count > lines.count { lines.append("- and \(told.count - lines.count) more") }
        let text = """
            Much has happened at once, so this is one message:

            \(lines.joined(separator: "\n"))

            What to do: see what these places have in common: a line, a provider, a power supply, a change.

            All alerts: \(home)

            You get this because of the alert rule \(told[0].rule.name) of \(organisation).

            """
        return [(Self.line("[\(organisation)] \(what)"), text)]
    }

    private mutating func mail(_ notice: AlertNotices.Notice, _ rule: AlertRule) throws -> String {
        let alert = notice.alert
        var parts = ["\(try sentence(notice))"]
        var facts: [String] = []
        switch notice {
        case .opened, .grown: facts.append("Since: \(time(alert.silentSince ?? alert.opened))")
        case .closed: facts.append("It began: \(time(alert.opened))")
        }
        if !notice.isEnd {
            let names = try devices(of: alert)
            if !names.isEmpty { facts.append("Devices: \(names)") }
        }
        parts.append(facts.joined(separator: "\n"))
        if !notice.isEnd { parts.append("What to do: \(advice(alert))") }
        parts.append("All about it, and to acknowledge or silence it: \(home)/\(alert.id)")
        parts.append("You get this because of the alert rule \(rule.name) of \(organisation).\n")
        return parts.joined(separator: "\n\n")
    }

    private func devices(of alert: OpenAlert) throws -> String {
        guard alert.subject.isPlace else { return "" }
        let ids = try transaction.rows(
            "SELECT device FROM alert_device WHERE tenant = $1 AND alert = $2 ORDER BY device LIMIT $3", alert.id,
            WatchLimits.named
        ).map { try $0.identifier(0, as: DeviceID.self) }
        let names = try watch.fleet.names(of: ids, in: transaction)
        let more = alert.missing - names.count
        return names.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
    }

    // MARK: - Short

    /// The text messages about these alerts.
    mutating func texts(_ told: [AlertNotices.Notice]) throws -> [String] {
        guard told.count > WatchLimits.single else {
            return try told.map { Self.short("\(try headline($0)). \(home)/\($0.alert.id)") }
        }
        let first = try headline(told[0])
        return [Self.short("\(told.count) alerts at once, the first: \(first). \(home)")]
    }

    /// What a webhook's event is called.
    func event(_ notice: AlertNotices.Notice) -> String {
        switch notice {
        case .opened: "alert.opened"
        case .grown: "alert.grown"
        case .closed: "alert.closed"
        }
    }

    /// What a webhook brings.
    mutating func body(_ notice: AlertNotices.Notice) throws -> JSONValue {
        let alert = notice.alert
        var members: [String: JSONValue] = [
            "id": .string(alert.id.text), "condition": .string(alert.condition.rawValue),
            "domain": ["id": .string(alert.domain.text), "path": .string(try place(of: alert))],
            "summary": .string(try headline(notice)), "opened": .string(alert.opened.rfc3339),
            "devices": .integer(Int64(alert.devices)), "missing": .integer(Int64(alert.missing)),
            "silent": .integer(Int64(alert.silent)), "link": .string("\(home)/\(alert.id)"),
        ]
        if let operation = alert.subject.operation { members["operation"] = .string(operation.text) }
        if let campaign = alert.subject.campaign { members["campaign"] = .string(campaign.text) }
        if let ends = alert.ends { members["ends"] = .string(ends.rfc3339) }
        if case .closed(_, let end) = notice { members["reason"] = .string(end.rawValue) }
        return .object(members)
    }

    // MARK: - Parts

    /// What happened in a few words: `Berlin: 12 devices are silent`.
    mutating func headline(_ notice: AlertNotices.Notice) throws -> String {
        let (alert, place) = (notice.alert, try place(of: notice.alert))
        switch notice {
        case .opened, .grown:
            return AlertSummary.text(
                alert.condition, place: place, title: alert.title, missing: alert.missing, silent: alert.silent,
                hasGrown: notice.isGrown)
        case .closed(_, .back): return "\(place): back again, \(Self.devices(alert.devices))"
        case .closed(_, .excused): return "\(place): no device is missing any more"
        case .closed(_, .renewed): return "\(place): certificates renewed"
        case .closed(_, .resumed): return "\(alert.title): paused no more"
        case .closed(_, .retried), .closed(_, .acknowledged), .closed(_, .aged):
            return "\(alert.title): no alert any more"
        }
    }

    private mutating func sentence(_ notice: AlertNotices.Notice) throws -> String {
        let (alert, place) = (notice.alert, try place(of: notice.alert))
        switch notice {
        case .grown:
            return "It has grown since you were told of it. \(try sentence(.opened(alert)))"
        case .opened:
            switch alert.condition {
            case .late:
                return "\(Self.devices(alert.missing)) at \(place) missed a few calls."
            case .silent:
                let late = alert.missing - alert.silent
                return
                    "\(Self.devices(alert.silent)) at \(place) missed so many calls that nobody counts on the next one."
                    + (late > 0 ? " \(Self.devices(late)) more missed a few calls." : "")
            case .taskFailed:
                return "\(alert.missing) \(alert.missing == 1 ? "task" : "tasks") of \(alert.title) failed so far."
            case .campaignPaused:
                return
                    "The campaign \(alert.title) paused by itself: \(Self.tasks(alert.missing)) failed, were refused, timed "
                    + "out or expired so far, and nothing more is given out."
            case .certificateExpiring:
                return "The certificates of \(Self.devices(alert.missing)) at \(place) end soon"
                    + (alert.ends.map { ", the first at \(time($0))." } ?? ".")
            }
        case .closed(_, .back):
            return "All of \(Self.devices(alert.devices)) at \(place) that were missing called again."
        case .closed(_, .excused):
            return "At \(place) no device is missing any more: they are exempt, suspended, moved or deleted."
        case .closed(_, .renewed):
            return "The certificates of the devices at \(place) were renewed, or are not needed any more."
        case .closed(_, .retried):
            return "The failed tasks of \(alert.title) are tried again, or it was removed."
        case .closed(_, .resumed):
            return "Somebody resumed or ended the campaign \(alert.title), or it was removed."
        case .closed(_, .acknowledged):
            return "\(alert.title) is over, and somebody took care of its failures."
        case .closed(_, .aged):
            return "What became of \(alert.title) is so long ago that the alert was closed."
        }
    }

    private func advice(_ alert: OpenAlert) -> String {
        switch alert.condition {
        case .late, .silent:
            "see whether the place has power and a network. Devices that call again end this by themselves, and you are told."
        case .taskFailed: "look at what the devices said, and try the failed ones again, those alone."
        case .campaignPaused: "look at the failed tasks of its groups, then resume it, stop it or roll it back."
        case .certificateExpiring:
            "let these devices renew their certificates, which they do by themselves when they can call; one whose certificate has ended must enrol anew."
        }
    }

    private mutating func place(of alert: OpenAlert) throws -> String {
        try places.path(of: alert.domain, in: transaction) ?? organisation
    }

    private func time(_ time: Timestamp) -> String {
        let local = zone.map { $0.rfc3339(time) } ?? time.rfc3339
        return local.prefix(16).split(separator: "T").joined(separator: " ") + " (\(zone?.text ?? "UTC"))"
    }

    private static func tasks(_ count: Int) -> String { count == 1 ? "1 task" : "\(count) tasks" }

    private static func devices(_ count: Int) -> String { count == 1 ? "1 device" : "\(count) devices" }

    /// One line that fits into a subject.
    private static func line(_ text: String) -> String {
        cut(String(text.map { $0.isNewline ? " " : $0 }), to: DeliveryLimits.subjectBytes)
    }

    private static func short(_ text: String) -> String { cut(text, to: DeliveryLimits.smsBytes) }

    private static func cut(_ text: String, to bytes: Int) -> String {
        var text = text
        while text.utf8.count > bytes { text.removeLast() }
        return text
    }
}

/// What an alert says in a few words.
enum AlertSummary {
    static func text(
        _ condition: AlertCondition, place: String, title: String, missing: Int, silent: Int, hasGrown: Bool = false
    ) -> String {
        let now = hasGrown ? "now " : ""
        func are(_ count: Int, _ word: String) -> String {
            now + (count == 1 ? "1 device is \(word)" : "\(count) devices are \(word)")
        }
        switch condition {
        case .late: return "\(place): \(are(missing, "late"))"
        case .silent:
            let late = missing - silent
            return "\(place): \(are(silent, "silent"))\(late > 0 ? ", \(late) late" : "")"
        case .taskFailed: return "\(title): \(now)\(missing) \(missing == 1 ? "task" : "tasks") failed"
        case .campaignPaused: return "\(title): the campaign paused by itself"
        case .certificateExpiring:
            return "\(place): \(now)certificates of \(missing == 1 ? "1 device" : "\(missing) devices") end soon"
        }
    }

    /// The same of an alert that is over. How many of its devices were silent and not only late is known no more.
    static func past(_ condition: AlertCondition, place: String, title: String, devices: Int) -> String {
        switch condition {
        case .late, .silent: "\(place): \(devices == 1 ? "1 device" : "\(devices) devices") missed calls"
        case .taskFailed, .campaignPaused, .certificateExpiring:
            text(condition, place: place, title: title, missing: devices, silent: 0)
        }
    }
}

/// The paths of domains, each read once.
struct DomainWords {
    private var known: [DomainID: String?] = [:]

    /// The names from below the root on; nil for the root, and for a domain that is gone.
    mutating func path(of domain: DomainID, in transaction: Transaction) throws -> String? {
        if let path = known[domain] { return path }
        let rows = try transaction.rows(
            """
            WITH RECURSIVE line (id, parent, name, level) AS (
                SELECT id, parent, name, 0 FROM domain WHERE tenant = $1 AND id = $2
                UNION
                SELECT d.id, d.parent, d.name, l.level + 1 FROM domain d JOIN line l ON d.id = l.parent
                WHERE d.tenant = $1 AND l.level < 100
            )
            SELECT name FROM line WHERE parent IS NOT NULL ORDER BY level DESC
            """, domain)
        let path = try rows.isEmpty ? nil : rows.map { try $0.text(0) }.joined(separator: "/")
        known[domain] = .some(path)
        return path
    }
}
