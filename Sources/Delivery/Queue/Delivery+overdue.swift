import Audit
import Base
import Storage

extension Delivery {
    /// Ends what has waited too long, so that a lane that nothing leaves by does not fill up and stay full.
    ///
    /// While a breaker pauses, one attempt in ten minutes is made for a whole lane, and nearly all that waits in it is
    /// never tried. It becomes a dead letter by its age, which people can look at and replay.
    func endOverdue() async throws {
        let now = clock.now
        let before = now - .seconds(DeliveryLimits.waitingSeconds)
        let lanes = try await database.platform.read { transaction in
            try transaction.acrossTenants.rows(
                """
                SELECT DISTINCT tenant, lane, kind FROM delivery
                WHERE state = 'waiting' AND created_at < $1 AND queued_at < $1
                    AND (claimed_by IS NULL OR due <= $2)
                LIMIT $3
                """, before, now, DeliveryLimits.removedRows
            ).map { (Lane(tenant: try $0.identifier(0), id: try $0.identifier(1)), try $0.text(2)) }
        }
        for (lane, kind) in lanes {
            while try await endOverdue(lane, kind, before: before, at: now) == DeliveryLimits.removedRows {}
        }
        try await endExpired(at: now)
    }

    private func endOverdue(_ lane: Lane, _ kind: String, before: Timestamp, at now: Timestamp) async throws -> Int {
        let count = try await database.tenant(lane.tenant).write { transaction in
            let count = try transaction.execute(
                """
                UPDATE delivery SET state = 'dead', result = 'it waited too long', finished_at = $4, claimed_by = NULL,
                    payload = CASE WHEN confidential = 1 THEN NULL ELSE payload END
                WHERE tenant = $1 AND id IN (
                    SELECT id FROM delivery
                    WHERE tenant = $1 AND lane = $2 AND state = 'waiting' AND created_at < $3 AND queued_at < $3
                        AND (claimed_by IS NULL OR due <= $4)
                    LIMIT \(DeliveryLimits.removedRows))
                """, lane.id, before, now)
            guard count > 0 else { return 0 }
            try self.audit.record(
                AuditEntry(
                    .deliveryOverdue, tenant: lane.tenant, actor: .system("delivery"),
                    object: AuditObject(kind: "outlet", id: lane.isMessages ? kind : lane.id.text), outcome: .failed,
                    details: ["kind": .string(kind), "count": .integer(Int64(count))]), in: transaction)
            return count
        }
        metrics.counter(
            "tidegate_deliveries_overdue_total", "Deliveries that became dead letters because they waited too long.",
            ["kind": kind]
        ).add(count)
        return count
    }

    /// Ends what is of no use any more although nobody has tried it, and forgets it where it was confidential.
    private func endExpired(at now: Timestamp) async throws {
        while try await database.platform.write({ transaction in
            let late = try transaction.acrossTenants.rows(
                """
                SELECT tenant, id FROM delivery
                WHERE state IN ('waiting', 'resting') AND expires_at <= $1 AND (claimed_by IS NULL OR due <= $1)
                LIMIT $2
                """, now, DeliveryLimits.removedRows)
            for row in late {
                try transaction.scoped(to: row.identifier(0)).execute(
                    """
                    UPDATE delivery SET state = 'expired', result = 'it came too late', finished_at = $3,
                        claimed_by = NULL, payload = CASE WHEN confidential = 1 THEN NULL ELSE payload END
                    WHERE tenant = $1 AND id = $2
                    """, row.blob(1), now)
            }
            return late.count == DeliveryLimits.removedRows
        }) {}
    }
}
