import Audit
import Base
import Storage
import Synchronization

/// What the queue is like over all tenants, for the metrics.
final class QueueFigures: Sendable {
    struct Figure: Sendable {
        var count = 0
        var oldest: Timestamp?
    }

    private let byKind = Mutex<[String: Figure]>([:])

    func figure(_ kind: DeliveryKind, _ state: DeliveryState) -> Figure {
        byKind.withLock { $0["\(kind.rawValue) \(state.rawValue)"] ?? Figure() }
    }

    func replace(_ counted: [String: Figure]) { byKind.withLock { $0 = counted } }
}

extension Delivery {
    /// Makes the gauges.
    func observe() {
        for kind in DeliveryKind.allCases {
            for state in [DeliveryState.waiting, .resting] where kind != .syslog {
                metrics.gauge(
                    "tidegate_deliveries", "Deliveries that wait for an attempt or rest in the outbox.",
                    ["kind": kind.rawValue, "state": state.rawValue]
                ) { [figures] in Double(figures.figure(kind, state).count) }
            }
            metrics.gauge(
                "tidegate_delivery_lag_seconds",
                "The age of the oldest delivery that waits, or entry that a stream has not sent.",
                ["kind": kind.rawValue]
            ) { [figures, clock] in
                figures.figure(kind, .waiting).oldest.map { Double((clock.now - $0).microseconds) / 1e6 } ?? 0
            }
        }
        metrics.gauge("tidegate_delivery_transfers", "Attempts under way.") { [weak self] in
            Double(self?.slots.withLock { $0.used } ?? 0)
        }
        metrics.gauge("tidegate_outlets_paused", "Outlets that nothing is sent through because they failed.") {
            [weak self] in
            guard let self else { return 0 }
            let now = clock.now
            return Double(
                breakers.withLock { breakers in breakers.values.count { $0.pausedUntil.map { $0 > now } ?? false } })
        }
    }

    /// Counts an attempt.
    func count(_ kind: DeliveryKind, _ outcome: Outcome) {
        let result =
            switch outcome {
            case .delivered: "delivered"
            case .failed: "failed"
            case .refused: "refused"
            }
        metrics.counter(
            "tidegate_delivery_attempts_total", "Attempts to deliver.", ["kind": kind.rawValue, "result": result]
        ).add()
    }

    /// Counts the open deliveries of all tenants.
    func countQueues() async throws {
        let (counted, streams) = try await database.platform.read { transaction in
            let counted = try transaction.acrossTenants.rows(
                """
                SELECT tenant, kind, state, count(*), min(created_at), lane FROM delivery
                WHERE state IN ('waiting', 'resting') GROUP BY tenant, lane, kind, state
                """
            ).map {
                (
                    lane: Lane(tenant: try $0.identifier(0), id: try $0.identifier(5)), kind: try $0.text(1),
                    state: try $0.text(2), count: try $0.int(3), oldest: try $0.timestamp(4)
                )
            }
            return (counted, try self.unsent(in: transaction))
        }
        depths.replace(Dictionary(counted.map { ($0.lane, $0.count) }, uniquingKeysWith: +))
        var byKind: [String: QueueFigures.Figure] = [:]
        for row in counted {
            let key = "\(row.kind) \(row.state)"
            let old = byKind[key] ?? QueueFigures.Figure()
            byKind[key] = QueueFigures.Figure(
                count: old.count + row.count, oldest: min(old.oldest ?? row.oldest, row.oldest))
        }
        byKind["\(DeliveryKind.syslog.rawValue) \(DeliveryState.waiting.rawValue)"] = streams
        figures.replace(byKind)
    }

    /// What streams to syslog receivers have not sent: how many entries, and the oldest.
    private func unsent(in transaction: Transaction) throws -> QueueFigures.Figure {
        var figure = QueueFigures.Figure()
        let streams = try transaction.acrossTenants.rows(
            """
            SELECT s.tenant, s.position FROM audit_stream s
            JOIN outlet o ON o.tenant = s.tenant AND o.id = s.outlet WHERE o.active = 1 AND o.kind = 'syslog'
            """)
        for row in streams {
            let tenant: TenantID = try row.identifier(0)
            let reach = try audit.reach(of: tenant, in: transaction)
            let position = max(try row.integer(1), reach.keptFrom)
            guard reach.size > position else { continue }
            figure.count += Int(reach.size - position)
            let first = try audit.entries(of: tenant, from: position, limit: 1, in: transaction).first?.time
            figure.oldest = [figure.oldest, first].compactMap { $0 }.min()
        }
        return figure
    }
}
