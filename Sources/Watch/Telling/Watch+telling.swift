import Base
import Storage

extension Watch {
    /// Tells of what has stood for as long as a rule waits, and notes when to look again.
    func tell(_ desk: inout AlertDesk, of tenant: TenantID, at now: Timestamp) async throws {
        guard let lookAt = desk.lookAt, lookAt <= now else { return }
        var (due, next): ([(alert: OpenAlert, rule: AlertRule)], Timestamp?) = ([], nil)
        let rules = desk.rules.filter(\.isActive)
        for alert in rules.isEmpty ? [] : desk.book.open.values.sorted(by: { $0.id < $1.id }) {
            let marks = desk.marks[alert.id] ?? AlertMarks()
            // Somebody takes care of it already.
            if marks.isAcknowledged { continue }
            let line = desk.tree.line(of: alert.domain)
            for rule in rules where !alert.told.contains(rule.id) && line.contains(rule.domain) {
                guard let since = alert.since(rule.conditions) else { continue }
                let time = max(since + .seconds(rule.wait), marks.silenced ?? since)
                if time <= now { due.append((alert, rule)) } else { next = min(next ?? time, time) }
            }
        }
        var isFull = false
        var rest = due[...]
        while !rest.isEmpty, !isFull {
            let some = rest.prefix(WatchLimits.toldAtOnce)
            rest = rest.dropFirst(some.count)
            do {
                let told = try await database.tenant(tenant).write { [self] transaction in
                    var notices = AlertNotices(self, tenant, at: now)
                    for (alert, rule) in some { try notices.add(.opened(alert), by: rule, in: transaction) }
                    for (alert, rule) in some {
                        try transaction.execute(
                            """
                            INSERT INTO alert_told (tenant, alert, rule, told, receivers) VALUES ($1, $2, $3, $4, $5)
                            ON CONFLICT (tenant, alert, rule) DO NOTHING
                            """, alert.id, rule.id, now, notices.receivers(of: alert.id, by: rule.id))
                    }
                    let told = try notices.send(in: transaction)
                    // Nothing of it has left then: it is tried again as a whole.
                    if told.sent == 0, told.isFull { throw QueueFull() }
                    return told
                }
                count(told)
                for (alert, rule) in some { desk.book.told(alert.id, by: rule.id) }
            } catch is QueueFull {
                isFull = true
            }
        }
        desk.lookAt = isFull ? now + .seconds(WatchLimits.fullSeconds) : next
    }

    /// The queue of messages takes none now.
    private struct QueueFull: Error {}
}
