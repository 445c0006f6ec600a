import Base
import Storage

extension Watch {
    /// Tells of what has stood for as long as a rule waits, and notes when to look again.
    func tell(_ desk: inout AlertDesk, of tenant: TenantID, at now: Timestamp) async throws {
        try await tellOwed(&desk, of: tenant, at: now)
        guard let lookAt = desk.lookAt, lookAt <= now else { return }
        var (due, next): ([DueTelling], Timestamp?) = ([], nil)
        let rules = desk.rules.filter(\.isActive)
        for alert in rules.isEmpty ? [] : desk.book.open.values.sorted(by: { $0.id < $1.id }) {
            let marks = desk.marks[alert.id] ?? AlertMarks()
            // Somebody takes care of it already.
            if marks.isAcknowledged { continue }
            let line = desk.tree.line(of: alert.domain)
            for rule in rules where line.contains(rule.domain) {
                guard let since = alert.since(rule.conditions) else { continue }
                let told = alert.told[rule.id]
                if let told, !alert.hasOutgrown(told, rule.conditions) { continue }
                var time = max(since + .seconds(rule.wait), marks.silenced ?? since)
                var telling = AlertTelling(about: alert.count(rule.conditions), again: told.map { $0.again + 1 } ?? 0)
                // That the campaign paused says what failed: once that is told, this is no message more.
                let pause = desk.book.pause(over: alert).flatMap { $0.since(rule.conditions) == nil ? nil : $0 }
                let isSaid = pause?.told[rule.id] != nil
                if isSaid {
                    telling = AlertTelling(
                        about: telling.about, again: told?.again ?? 0, isCovered: told?.isCovered ?? true)
                } else if let pause, isToTell(desk.marks[pause.id], at: now) {
                    time = max(time, pause.opened + .seconds(rule.wait + 1))
                }
                guard time <= now else {
                    next = min(next ?? time, time)
                    continue
                }
                due.append(DueTelling(alert: alert, rule: rule, telling: telling, isSaid: isSaid))
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
                    for one in some where !one.isSaid {
                        try notices.add(
                            one.telling.again > 0 ? .grown(one.alert) : .opened(one.alert), by: one.rule,
                            in: transaction)
                    }
                    let told = try notices.send(in: transaction)
                    // Nothing of it has left then: it is tried again as a whole.
                    if told.sent == 0, told.isFull { throw QueueFull() }
                    try OwedNotice.keep(told.owed, at: now, in: transaction)
                    for one in some {
                        let telling = one.telling
                        try transaction.execute(
                            """
                            INSERT INTO alert_told (tenant, alert, rule, told, receivers, about, again, covered)
                            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                            ON CONFLICT (tenant, alert, rule) DO UPDATE SET about = excluded.about, again = excluded.again,
                                covered = excluded.covered
                            """, one.alert.id, one.rule.id, now, notices.receivers(of: one.alert.id, by: one.rule.id),
                            telling.about, telling.again, telling.isCovered ? 1 : 0)
                    }
                    return told
                }
                count(told)
                if !told.owed.isEmpty { desk.owe(at: now) }
                for one in some { desk.book.told(one.alert.id, one.telling, by: one.rule.id) }
            } catch is QueueFull {
                isFull = true
            }
        }
        desk.lookAt = isFull ? now + .seconds(WatchLimits.fullSeconds) : next
    }

    /// Whether an alert that people marked so is told when its time has come.
    private func isToTell(_ marks: AlertMarks?, at now: Timestamp) -> Bool {
        guard let marks else { return true }
        return !marks.isAcknowledged && marks.silenced.map { $0 <= now } ?? true
    }

    /// Tries again what the queue had no room for. What has waited for a day is of no use, and neither is the beginning
    /// of an alert that is over.
    private func tellOwed(_ desk: inout AlertDesk, of tenant: TenantID, at now: Timestamp) async throws {
        guard let owedAt = desk.owedAt, owedAt <= now else { return }
        let rules = Dictionary(desk.rules.map { ($0.id, $0) }) { $1 }
        let (told, isRest) = try await database.tenant(tenant).write { [self] transaction in
            var notices = AlertNotices(self, tenant, at: now)
            let owed = try OwedNotice.oldest(WatchLimits.toldAtOnce, in: transaction)
            var lost = 0
            for (notice, since) in owed {
                try notice.remove(in: transaction)
                guard let (alert, end) = try AlertStore.find(notice.alert, in: transaction),
                    let rule = rules[notice.rule], rule.isActive, (end != nil) == notice.ends
                else { continue }
                guard since > now - .seconds(WatchLimits.messageSeconds) else {
                    lost += 1
                    continue
                }
                notices.add(end.map { .closed(alert, $0) } ?? .opened(alert), by: rule, to: notice.receiver)
            }
            var told = try notices.send(in: transaction)
            told.refused += lost
            let began = Dictionary(owed.map { ($0.notice, $0.since) }) { first, _ in first }
            for notice in told.owed { try OwedNotice.keep([notice], at: began[notice] ?? now, in: transaction) }
            for (alert, rules) in Dictionary(grouping: owed.filter { !$0.notice.ends }, by: \.notice.alert) {
                for rule in Set(rules.map(\.notice.rule)) {
                    try transaction.execute(
                        """
                        UPDATE alert_told SET receivers = receivers + $4
                        WHERE tenant = $1 AND alert = $2 AND rule = $3
                        """, alert, rule, notices.receivers(of: alert, by: rule))
                }
            }
            return (told, try OwedNotice.areAny(in: transaction))
        }
        count(told)
        desk.owedAt = isRest ? now + .seconds(told.sent > 0 ? 1 : WatchLimits.fullSeconds) : nil
    }

    /// What a rule tells of an alert now.
    private struct DueTelling: Sendable {
        let alert: OpenAlert
        let rule: AlertRule
        let telling: AlertTelling
        /// Whether the message about its campaign has said it, so that it is only noted.
        let isSaid: Bool
    }

    /// The queue of messages takes none now.
    private struct QueueFull: Error {}
}
