import Base
import Logging
import Storage
import Synchronization
import Trust

/// One delivery that this process is about to attempt.
struct Claim: Sendable {
    var lane: Lane
    var id: DeliveryID
    var kind: DeliveryKind
    var attempts: Int
    var created: Timestamp
    var expires: Timestamp?
    var isConfidential: Bool
    var content: OutboundMessage.Content?
    var way: Way?
    /// The breakers that admitted it, to be told how it ended, whatever its way is by then; nil when it had none.
    var breakers: BreakerKeys?
    /// Whether its slot was given as one of a suspect outlet.
    var isSuspect: Bool
}

extension Delivery {
    /// Claims what is due, at most as much as there are slots for; every claim has begun a slot.
    ///
    /// A claim moves the moment at which a delivery is due behind the longest transfer: when the process ends between
    /// sending and noting it, the delivery comes up again by itself, under the same identifier.
    func claim() async throws -> [Claim] {
        let now = clock.now
        let found = try await database.platform.read { try self.due(at: now, in: $0) }
        let admitted = found.filter { begin($0) }
        guard !admitted.isEmpty else { return [] }
        do {
            let claims = try await database.platform.write { transaction in
                try admitted.compactMap { try self.take($0, at: now, in: transaction) }
            }
            let taken = Set(claims.map(\.id))
            for left in admitted where !taken.contains(left.id) { end(left.lane, left.breakers, left.isSuspect, nil) }
            return claims
        } catch {
            for left in admitted { end(left.lane, left.breakers, left.isSuspect, nil) }
            throw error
        }
    }

    /// A delivery that could be claimed.
    struct Candidate: Sendable {
        var lane: Lane
        var id: DeliveryID
        var kind: DeliveryKind
        var breakers: BreakerKeys?
        var isSuspect: Bool
    }

    /// The first due deliveries of each lane, found lane by lane, so that a long one hides no other.
    private func due(at now: Timestamp, in transaction: Transaction) throws -> [Candidate] {
        let across = transaction.acrossTenants
        var found: [Candidate] = []
        var last = lookFrom.withLock { $0 }
        var hasWrapped = last == Self.firstLane
        var first: Lane?
        for _ in 0..<DeliveryLimits.lanesPerLook {
            let row = try across.row(
                """
                SELECT tenant, lane, kind FROM delivery WHERE state = 'waiting' AND (tenant, lane) > ($1, $2)
                ORDER BY tenant, lane LIMIT 1
                """, last.tenant, last.id)
            guard let row, let kind = DeliveryKind(rawValue: try row.text(2)) else {
                if hasWrapped { break }
                hasWrapped = true
                last = Self.firstLane
                continue
            }
            let lane = Lane(tenant: try row.identifier(0), id: try row.identifier(1))
            if lane == first { break }
            first = first ?? lane
            last = lane
            found += try due(lane, kind, at: now, in: transaction)
            if found.count >= DeliveryLimits.transfers { break }
        }
        // The next look begins behind this one, so that everybody's turn comes.
        lookFrom.withLock { $0 = found.isEmpty ? Self.firstLane : last }
        return found
    }

    private static let firstLane = Lane(tenant: TenantID(high: 0, low: 0), id: OutletID(high: 0, low: 0))

    private func due(
        _ lane: Lane, _ kind: DeliveryKind, at now: Timestamp, in transaction: Transaction
    ) throws -> [Candidate] {
        let keys = try breakerKeys(of: lane, kind, in: transaction)
        let (isPaused, isSuspect) = breakers.withLock { ($0.isPaused(keys, at: now), $0.isSuspect(keys)) }
        if isPaused { return [] }
        let room = slots.withLock { $0.room(lane, isSuspect: isSuspect) }
        guard room > 0 else { return [] }
        return try transaction.scoped(to: lane.tenant).rows(
            """
            SELECT id FROM delivery WHERE tenant = $1 AND lane = $2 AND state = 'waiting' AND due <= $3
            ORDER BY due LIMIT $4
            """, lane.id, now, room
        ).map {
            Candidate(
                lane: lane, id: try $0.identifier(0), kind: kind, breakers: keys, isSuspect: isSuspect)
        }
    }

    private func begin(_ candidate: Candidate) -> Bool {
        guard slots.withLock({ $0.begin(candidate.lane, isSuspect: candidate.isSuspect) }) else { return false }
        let now = clock.now
        let isAdmitted = breakers.withLock { $0.admits(candidate.breakers, at: now) }
        if !isAdmitted { slots.withLock { $0.end(candidate.lane, isSuspect: candidate.isSuspect) } }
        return isAdmitted
    }

    /// Gives a slot back and tells the breakers that had admitted it how the attempt ended, nil when there was none.
    func end(_ lane: Lane, _ keys: BreakerKeys?, _ isSuspect: Bool, _ outcome: Outcome?) {
        let now = clock.now
        slots.withLock { $0.end(lane, isSuspect: isSuspect) }
        breakers.withLock { $0.end(keys, outcome, at: now) }
    }

    /// Marks a candidate as claimed and opens it; nil when somebody else was first.
    private func take(_ candidate: Candidate, at now: Timestamp, in transaction: Transaction) throws -> Claim? {
        let scoped = transaction.scoped(to: candidate.lane.tenant)
        let row = try scoped.row(
            """
            UPDATE delivery SET due = $2, claimed_by = $3, attempts = attempts + 1
            WHERE tenant = $1 AND id = $4 AND state = 'waiting' AND due <= $5
            RETURNING attempts, created_at, expires_at, confidential, payload
            """, now + .seconds(DeliveryLimits.claimSeconds), settings.node, candidate.id, now)
        guard let row else { return nil }
        var claim = Claim(
            lane: candidate.lane, id: candidate.id, kind: candidate.kind, attempts: try row.int(0),
            created: try row.timestamp(1), expires: try row.timestampIfAny(2), isConfidential: try row.bool(3),
            breakers: candidate.breakers, isSuspect: candidate.isSuspect)
        do {
            claim.content = try row.blobIfAny(4).flatMap { sealed in
                OutboundMessage.Content(
                    candidate.kind,
                    try keyRing.open(
                        sealed, at: DeliverySchema.payloadColumn.place(candidate.lane.tenant, row: candidate.id),
                        in: scoped))
            }
            claim.way = try way(for: candidate.lane, candidate.kind, in: transaction)
        } catch let refusal as Refusal {
            // One damaged row or missing key must not hold up the others; it ends as a dead letter.
            logger.warning(
                "a delivery can not be opened", metadata: ["delivery": "\(claim.id)", "reason": "\(refusal)"])
        }
        return claim
    }
}
