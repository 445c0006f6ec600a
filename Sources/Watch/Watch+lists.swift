public import Access
import Audit
public import Base
import Bus
import Fleet
import Storage

extension Watch {
    private static let columns = """
        a.id, a.kind, a.subject, a.domain, a.condition, a.severity, a.title, a.opened, a.silent_since, a.devices,
        a.missing, a.silent, a.ends, a.acknowledged, a.acknowledged_by, a.note, a.silenced, a.closed, a.reason,
        (SELECT sum(t.receivers) FROM alert_told t WHERE t.tenant = $1 AND t.alert = a.id)
        """

    /// The alerts of the domains that the caller may see, the newest first, made before `before`.
    public func alerts(
        _ filter: AlertFilter = AlertFilter(), before: AlertID? = nil, limit: Int, in tenant: TenantID,
        by principal: Principal
    ) async throws -> AlertPage {
        let (now, limit) = (clock.now, min(max(limit, 1), WatchLimits.page))
        return try await database.tenant(tenant).read { [self] transaction in
            var sql = SQLBuilder()
            var parts = try visible(.alertRead, in: tenant, by: principal, &sql, transaction)
            if let isOpen = filter.isOpen { parts.append("a.closed IS \(isOpen ? "" : "NOT ")NULL") }
            if let condition = filter.condition { parts.append("a.condition = \(sql.bind(condition.rawValue))") }
            if let severity = filter.severity { parts.append("a.severity >= \(sql.bind(severity.rawValue))") }
            if let isQuiet = filter.isQuiet { parts.append(Self.quiet(isQuiet, at: sql.bind(now))) }
            if let device = filter.device {
                parts.append(
                    """
                    EXISTS (SELECT 1 FROM alert_device o
                        WHERE o.tenant = $1 AND o.alert = a.id AND o.device = \(sql.bind(device)))
                    """)
            }
            if let before { parts.append("a.id < \(sql.bind(before))") }
            let rows = try transaction.rows(
                """
                SELECT \(Self.columns) FROM alert a WHERE a.tenant = $1\(parts.map { " AND \($0)" }.joined())
                ORDER BY a.id DESC LIMIT \(sql.bind(limit + 1))
                """, arguments: sql.arguments)
            var words = DomainWords()
            let items = try rows.prefix(limit).map { try read($0, of: tenant, &words, transaction) }
            return AlertPage(items: items, next: rows.count > limit ? items.last?.id : nil)
        }
    }

    /// How many alerts the caller's bell shows, up to 99 and one more: open, serious, not acknowledged, not silenced.
    public func bell(in tenant: TenantID, by principal: Principal) async throws -> Int {
        let now = clock.now
        return try await database.tenant(tenant).read { [self] transaction in
            var sql = SQLBuilder()
            let parts = try visible(.alertRead, in: tenant, by: principal, &sql, transaction)
            return try transaction.row(
                """
                SELECT count(*) FROM (SELECT 1 FROM alert a WHERE a.tenant = $1 AND a.closed IS NULL
                    AND a.severity > \(AlertSeverity.notice.rawValue)
                    AND \(Self.quiet(false, at: sql.bind(now)))\(parts.map { " AND \($0)" }.joined())
                    LIMIT \(WatchLimits.bell + 1)) counted
                """, arguments: sql.arguments)?.int(0) ?? 0
        }
    }

    /// One alert, with the devices of it that the caller may see.
    public func alert(
        _ id: AlertID, in tenant: TenantID, by principal: Principal
    ) async throws -> (alert: Alert, devices: [Name]) {
        try await database.tenant(tenant).read { [self] transaction in
            let alert = try find(id, .alertRead, in: tenant, by: principal, transaction)
            let devices = try transaction.rows(
                "SELECT device FROM alert_device WHERE tenant = $1 AND alert = $2 ORDER BY device LIMIT $3", id,
                WatchLimits.devicesShown
            ).map { try $0.identifier(0, as: DeviceID.self) }
            let names = try fleet.names(of: devices, in: tenant, for: principal, .deviceRead, in: transaction)
            return (alert, devices.compactMap { names[$0] })
        }
    }

    /// Says that somebody takes care of an alert: no more of it is told, and the bell does not count it.
    public func acknowledge(
        _ id: AlertID, note: String? = nil, in tenant: TenantID, by principal: Principal
    ) async throws -> Alert {
        if let note, note.isEmpty || note.utf8.count > WatchLimits.noteBytes || note.utf8.contains(0) {
            throw Refusal(
                .invalid, "alert.note", "A note has 1 to \(WatchLimits.noteBytes) bytes.",
                faults: [.init(place: "/note", message: "has 1 to \(WatchLimits.noteBytes) bytes")])
        }
        return try await change(
            id, .alertAcknowledged, ["note": note.map { .string($0) } ?? .null], in: tenant, by: principal
        ) {
            transaction, now in
            try transaction.execute(
                """
                UPDATE alert SET acknowledged = $3, acknowledged_by = $4, note = $5
                WHERE tenant = $1 AND id = $2 AND acknowledged IS NULL
                """, id, now, principal.name, note)
        }
    }

    /// Silences an alert until a moment, and what happens to the same place again until then; nil ends that.
    public func silence(
        _ id: AlertID, until: Timestamp?, in tenant: TenantID, by principal: Principal
    ) async throws -> Alert {
        let now = clock.now
        if let until, until <= now || until > now + .seconds(WatchLimits.silencedDays * 86_400) {
            throw Refusal(
                .invalid, "alert.silence", "An alert is silenced for \(WatchLimits.silencedDays) days at most.",
                faults: [.init(place: "/until", message: "lies ahead, by \(WatchLimits.silencedDays) days at most")])
        }
        return try await change(
            id, .alertSilenced, ["until": until.map { .string($0.rfc3339) } ?? .null], in: tenant, by: principal
        ) { transaction, _ in
            try transaction.execute(
                """
                UPDATE alert SET silenced = $3 WHERE tenant = $1 AND (id = $2 OR silenced IS NOT NULL AND EXISTS (
                    SELECT 1 FROM alert s WHERE s.tenant = $1 AND s.id = $2 AND s.kind = alert.kind
                    AND s.subject = alert.subject))
                """, id, until)
        }
    }

    // MARK: - Parts

    static let unknown = Refusal(.notFound, "alert.unknown", "There is no such alert, or it is not for you.")

    private func change(
        _ id: AlertID, _ code: AuditCode, _ details: JSONValue, in tenant: TenantID, by principal: Principal,
        _ write: @escaping @Sendable (Transaction, Timestamp) throws -> Void
    ) async throws -> Alert {
        let now = clock.now
        return try await database.tenant(tenant).write { [self] transaction in
            let old = try find(id, .alertManage, in: tenant, by: principal, transaction)
            guard old.closed == nil else {
                throw Refusal(.conflict, "alert.closed", "The alert is closed already.")
            }
            try write(transaction, now)
            try audit.record(
                AuditEntry(
                    code, tenant: tenant, domain: old.domain, actor: principal.actor(in: tenant),
                    object: AuditObject(kind: "alert", id: id.text), details: details), in: transaction)
            let alert = try find(id, .alertManage, in: tenant, by: principal, transaction)
            let marks = AlertMarks(isAcknowledged: alert.acknowledged != nil, silenced: alert.silenced)
            transaction.afterCommit { [self] in
                mark(id, marks, of: tenant)
                if code == .alertSilenced { silenced(alert.subject, until: alert.silenced, of: tenant) }
                bus.publish(AlertsChanged(tenant: tenant))
            }
            return alert
        }
    }

    /// Open alerts that are acknowledged or silenced at a moment, or those that are not.
    private static func quiet(_ isQuiet: Bool, at now: String) -> String {
        isQuiet
            ? "(a.acknowledged IS NOT NULL OR a.silenced > \(now))"
            : "a.acknowledged IS NULL AND (a.silenced IS NULL OR a.silenced <= \(now))"
    }

    private func find(
        _ id: AlertID, _ permission: Permission, in tenant: TenantID, by principal: Principal,
        _ transaction: Transaction
    ) throws -> Alert {
        guard
            let row = try transaction.row("SELECT \(Self.columns) FROM alert a WHERE a.tenant = $1 AND a.id = $2", id)
        else { throw Self.unknown }
        var words = DomainWords()
        let alert = try read(row, of: tenant, &words, transaction)
        do {
            try access.authorize(principal, permission, tenant: tenant, domain: alert.domain, in: transaction)
        } catch let refusal as Refusal where refusal.kind == .notFound {
            throw Self.unknown
        }
        return alert
    }

    /// What restricts alerts to those of domains in which the caller may do this.
    private func visible(
        _ permission: Permission, in tenant: TenantID, by principal: Principal, _ sql: inout SQLBuilder,
        _ transaction: Transaction
    ) throws -> [String] {
        guard
            case .roots(let roots) = try access.visibleDomains(
                principal, permission, tenant: tenant, in: transaction)
        else { return [] }
        guard !roots.isEmpty else { return ["1 = 0"] }
        let list = roots.sorted().map { sql.bind($0) }.joined(separator: ", ")
        return [
            """
            a.domain IN (WITH RECURSIVE below(id) AS (
                SELECT r.id FROM domain r WHERE r.tenant = $1 AND r.id IN (\(list))
                UNION SELECT c.id FROM domain c JOIN below b ON c.parent = b.id WHERE c.tenant = $1
            ) SELECT below.id FROM below)
            """
        ]
    }

    private func read(
        _ row: Row, of tenant: TenantID, _ words: inout DomainWords, _ transaction: Transaction
    ) throws -> Alert {
        guard let condition = AlertCondition(rawValue: try row.text(4)),
            let severity = AlertSeverity(rawValue: try row.integer(5))
        else { throw StorageError(.corrupt, "an alert's row is not readable") }
        let domain = try row.identifier(3, as: DomainID.self)
        let place = try words.path(of: domain, in: transaction)
        let (missing, silent) = (try row.int(10), try row.int(11))
        let (title, devices) = (try row.text(6), try row.int(9))
        let closed = try row.timestampIfAny(17)
        let organisation = access.directory.tenant(tenant)?.name ?? "/"
        return Alert(
            id: try row.identifier(0), subject: try AlertStore.subject(row, from: 1), domain: domain, place: place,
            condition: condition, severity: severity,
            summary: closed == nil
                ? AlertSummary.text(
                    condition, place: place ?? organisation, title: title, missing: missing, silent: silent)
                : AlertSummary.past(condition, place: place ?? organisation, title: title, devices: devices),
            opened: try row.timestamp(7), silentSince: try row.timestampIfAny(8), devices: devices, missing: missing,
            silent: silent, ends: try row.timestampIfAny(12), acknowledged: try row.timestampIfAny(13),
            acknowledgedBy: try row.textIfAny(14), note: try row.textIfAny(15), silenced: try row.timestampIfAny(16),
            closed: closed, end: try row.textIfAny(18).flatMap(AlertEnd.init(rawValue:)),
            told: try row.integerIfAny(19).map { Int($0) } ?? 0)
    }
}
