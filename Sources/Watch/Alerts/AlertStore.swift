import Base
import Storage

/// Alerts between their tables and memory; every call runs in a tenant's transaction.
enum AlertStore {
    /// Writes an open alert, new or as it is now; what people have said of it stays.
    static func put(
        _ alert: OpenAlert, severity: AlertSeverity, silenced: Timestamp?, in transaction: Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO alert (tenant, id, kind, subject, domain, condition, severity, title, opened, silent_since,
                devices, missing, silent, ends, silenced, was_silent)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
            ON CONFLICT (tenant, id) DO UPDATE SET condition = excluded.condition, severity = excluded.severity,
                title = excluded.title, opened = excluded.opened, silent_since = excluded.silent_since, devices = excluded.devices,
                missing = excluded.missing, silent = excluded.silent, ends = excluded.ends, was_silent = excluded.was_silent
            """, alert.id, alert.subject.kind, alert.subject.key, alert.domain, alert.condition.rawValue,
            severity.rawValue, alert.title, alert.opened, alert.silentSince, alert.devices, alert.missing,
            alert.silent, alert.ends, silenced, alert.wasSilent)
    }

    /// Closes an alert and forgets which devices it was about.
    static func close(_ id: AlertID, _ end: AlertEnd, at now: Timestamp, in transaction: Transaction) throws {
        try transaction.execute(
            "UPDATE alert SET closed = $3, reason = $4 WHERE tenant = $1 AND id = $2 AND closed IS NULL", id, now,
            end.rawValue)
    }

    /// Notes that an alert is about these devices.
    static func join(_ members: some Sequence<(alert: AlertID, device: DeviceID)>, in transaction: Transaction) throws {
        try transaction.insert(
            into: "alert_device", columns: ["alert", "device"],
            rows: members.map { [$0.alert.sqlValue, $0.device.sqlValue] })
    }

    /// Notes that an alert is about these devices no more.
    static func leave(_ alert: AlertID, _ devices: [DeviceID], in transaction: Transaction) throws {
        for start in stride(from: 0, to: devices.count, by: 200) {
            let part = devices[start..<min(start + 200, devices.count)]
            let list = part.indices.map { "$\($0 - start + 3)" }.joined(separator: ", ")
            try transaction.execute(
                "DELETE FROM alert_device WHERE tenant = $1 AND alert = $2 AND device IN (\(list))",
                arguments: [alert as any SQLBindable] + part.map { $0 as any SQLBindable })
        }
    }

    /// A tenant's open alerts with their devices, put into a book, and what people have said of them.
    static func load(
        silent: Set<DeviceID>, at now: Timestamp, in transaction: Transaction
    ) throws -> (book: AlertBook, marks: [AlertID: AlertMarks], silences: [AlertSubject: Timestamp]) {
        var (book, marks, silences) = (AlertBook(), [AlertID: AlertMarks](), [AlertSubject: Timestamp]())
        var told: [AlertID: [AlertRuleID: AlertTelling]] = [:]
        try transaction.forEach(
            """
            SELECT t.alert, t.rule, t.about, t.again, t.covered FROM alert_told t JOIN alert a ON a.tenant = t.tenant AND a.id = t.alert
            WHERE t.tenant = $1 AND a.closed IS NULL
            """
        ) { row in
            told[try row.identifier(0), default: [:]][try row.identifier(1)] = AlertTelling(
                about: try row.integerIfAny(2).map { Int($0) }, again: try row.int(3), isCovered: try row.int(4) != 0)
        }
        var devices: [AlertID: [DeviceID]] = [:]
        try transaction.forEach("SELECT alert, device FROM alert_device WHERE tenant = $1 ORDER BY alert, device") {
            devices[try $0.identifier(0), default: []].append(try $0.identifier(1))
        }
        for row in try transaction.rows(
            "SELECT \(columns), acknowledged, silenced FROM alert WHERE tenant = $1 AND closed IS NULL ORDER BY id")
        {
            var alert = try read(row)
            let id = alert.id
            alert.told = told[id] ?? [:]
            alert.isAcknowledged = try row.timestampIfAny(12) != nil
            alert.silent = 0
            if alert.subject.isPlace { alert.missing = 0 }
            book.restore(alert, devices: devices[id] ?? [], silent: silent)
            marks[id] = AlertMarks(
                isAcknowledged: alert.isAcknowledged, silenced: try row.timestampIfAny(13))
        }
        for row in try transaction.rows(
            "SELECT kind, subject, max(silenced) FROM alert WHERE tenant = $1 AND silenced > $2 GROUP BY kind, subject",
            now)
        {
            silences[try subject(row, from: 0)] = try row.timestamp(2)
        }
        return (book, marks, silences)
    }

    private static let columns =
        "id, kind, subject, domain, title, opened, silent_since, devices, missing, silent, ends, was_silent"

    private static func read(_ row: Row) throws -> OpenAlert {
        OpenAlert(
            id: try row.identifier(0), subject: try subject(row, from: 1), domain: try row.identifier(3),
            title: try row.text(4), opened: try row.timestamp(5), silentSince: try row.timestampIfAny(6),
            wasSilent: try row.timestampIfAny(11), devices: try row.int(7), missing: try row.int(8),
            silent: try row.int(9),
            ends: try row.timestampIfAny(10))
    }

    /// An alert as it was written last, and why it is over if it is.
    static func find(_ id: AlertID, in transaction: Transaction) throws -> (alert: OpenAlert, end: AlertEnd?)? {
        try transaction.row("SELECT \(columns), reason FROM alert WHERE tenant = $1 AND id = $2", id).map { row in
            (try read(row), try row.textIfAny(12).flatMap(AlertEnd.init(rawValue:)))
        }
    }

    /// When the last alert about this was closed because somebody dealt with it, or because it grew old; what failed
    /// until then is known.
    static func dealtWith(_ subject: AlertSubject, in transaction: Transaction) throws -> Timestamp? {
        try transaction.row(
            """
            SELECT max(closed) FROM alert WHERE tenant = $1 AND kind = $2 AND subject = $3
                AND reason IN ('acknowledged', 'aged')
            """, subject.kind, subject.key
        )?.timestampIfAny(0)
    }

    /// The subject in the columns of `row` from `first` on.
    static func subject(_ row: Row, from first: Int) throws -> AlertSubject {
        switch try row.text(first) {
        case "contact": .contact(try row.identifier(first + 1))
        case "certificates": .certificates(try row.identifier(first + 1))
        case "operation": .operation(try row.identifier(first + 1))
        case "campaign": .campaign(try row.identifier(first + 1))
        default: throw StorageError(.corrupt, "an alert's row is not readable")
        }
    }
}
