import Base
import Storage

/// What somebody is still to be told of an alert, because the queue had no room for it; other receivers have got it.
struct OwedNotice: Hashable, Sendable {
    let alert: AlertID
    let rule: AlertRuleID
    let receiver: AlertNotices.Destination
    /// Whether it is about the alert's end.
    let ends: Bool

    /// Keeps what is owed; more than a tenant may have is given up.
    static func keep(_ owed: [OwedNotice], at now: Timestamp, in transaction: Transaction) throws {
        if owed.isEmpty { return }
        let count = try transaction.row("SELECT count(*) FROM alert_owed WHERE tenant = $1")?.int(0) ?? 0
        for notice in owed.prefix(max(WatchLimits.owed - count, 0)) {
            try transaction.execute(
                """
                INSERT INTO alert_owed (tenant, alert, receiver, ends, rule, since) VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (tenant, alert, receiver, ends) DO NOTHING
                """, notice.alert, notice.receiver.text, notice.ends, notice.rule, now)
        }
    }

    /// Whether anything is owed in this tenant.
    static func areAny(in transaction: Transaction) throws -> Bool {
        try transaction.row("SELECT 1 FROM alert_owed WHERE tenant = $1 LIMIT 1") != nil
    }

    /// Forgets that somebody is to be told that an alert began; to whom that was owed.
    static func withdraw(
        _ alert: AlertID, in transaction: Transaction
    ) throws -> Set<AlertNotices.Destination> {
        let rows = try transaction.rows("SELECT receiver FROM alert_owed WHERE tenant = $1 AND alert = $2", alert)
        if rows.isEmpty { return [] }
        try transaction.execute("DELETE FROM alert_owed WHERE tenant = $1 AND alert = $2", alert)
        return Set(try rows.compactMap { AlertNotices.Destination(text: try $0.text(0)) })
    }

    /// The oldest that is owed, with the moment from which it was.
    static func oldest(_ count: Int, in transaction: Transaction) throws -> [(notice: OwedNotice, since: Timestamp)] {
        try transaction.rows(
            """
            SELECT alert, receiver, ends, rule, since FROM alert_owed WHERE tenant = $1
            ORDER BY since, alert, receiver LIMIT $2
            """, count
        ).map { row in
            guard let receiver = AlertNotices.Destination(text: try row.text(1)) else {
                throw StorageError(.corrupt, "an owed notice's row is not readable")
            }
            let notice = OwedNotice(
                alert: try row.identifier(0), rule: try row.identifier(3), receiver: receiver, ends: try row.bool(2))
            return (notice, try row.timestamp(4))
        }
    }

    /// Forgets that this is owed.
    func remove(in transaction: Transaction) throws {
        try transaction.execute(
            "DELETE FROM alert_owed WHERE tenant = $1 AND alert = $2 AND receiver = $3 AND ends = $4", alert,
            receiver.text, ends)
    }
}
