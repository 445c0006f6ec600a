public import Base
import HTTPTypes
import NIOCore
public import Storage
import Synchronization
public import Trust

/// Answers a repeated write with its first answer for 24 hours (`Idempotency-Key`).
///
/// A key is claimed before the work and its answer stored after it. When the server dies in between, nobody can know
/// whether the work took effect, so a later request with the key is refused instead of doing it again. Answers may
/// hold secrets that are shown only once; they are therefore sealed.
public final class Repetitions: Sendable {
    static let keyReused = Refusal(
        .invalid, "idempotency.keyReused", "This idempotency key came with another request. Use a new key.")

    private static let unfinished = Refusal(
        .conflict, "idempotency.unfinished",
        "A request with this idempotency key is being worked on elsewhere or was cut off. See whether it took effect, "
            + "then use a new key.")

    private static func secretShown(_ location: String?) -> Refusal {
        Refusal(
            .conflict, "idempotency.secretShown",
            "This was done\(location.map { ": \($0)" } ?? ""). A secret in its answer is shown once; make another "
                + "one if it was lost.")
    }

    private static let life: Duration = .seconds(24 * 3600)

    private let database: Database
    private let keyRing: KeyRing
    private let clock: WallClock
    /// Who waits for the request that holds a slot in this process.
    private let waiting = Mutex<[RepetitionKey.Slot: [CheckedContinuation<Void, Never>]]>([:])

    /// A store of answers in `database`, sealed by `keyRing`.
    public init(database: Database, keyRing: KeyRing, clock: WallClock) {
        self.database = database
        self.keyRing = keyRing
        self.clock = clock
    }

    /// Does the work once for each key, one after the other, and answers repetitions with what it answered; an answer
    /// with a secret that is shown once is not kept.
    func once(_ key: RepetitionKey, isSecret: Bool = false, _ work: () async throws -> Answer) async throws -> Answer {
        await enter(key.slot)
        defer { leave(key.slot) }
        if let earlier = try await claim(key) { return earlier }
        let answer: Answer
        do {
            answer = try await work()
        } catch {
            // What is refused has no effect, so it may be tried again under the same key.
            try await release(key)
            throw error
        }
        guard let stored = StoredAnswer(answer, isSecret: isSecret) else {
            try await release(key)
            return answer
        }
        try await store(stored, for: key)
        return answer
    }

    /// Forgets what is older than a day; how many keys there were.
    public func prune() async throws -> Int {
        let oldest = clock.now - Self.life
        return try await database.platform.write { transaction in
            try transaction.acrossTenants.execute("DELETE FROM repetition WHERE started_at < $1", oldest)
        }
    }

    private func enter(_ slot: RepetitionKey.Slot) async {
        await withCheckedContinuation { continuation in
            let isFree = waiting.withLock { waiting in
                guard waiting[slot] != nil else {
                    waiting[slot] = []
                    return true
                }
                waiting[slot]?.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    private func leave(_ slot: RepetitionKey.Slot) {
        let next = waiting.withLock { waiting -> CheckedContinuation<Void, Never>? in
            guard waiting[slot]?.isEmpty == false else {
                waiting[slot] = nil
                return nil
            }
            return waiting[slot]?.removeFirst()
        }
        next?.resume()
    }

    /// The earlier answer, or nil when the key is now claimed for this request.
    private func claim(_ key: RepetitionKey) async throws -> Answer? {
        let (ring, now, oldest) = (keyRing, clock.now, clock.now - Self.life)
        return try await database.tenant(key.tenant).write { transaction in
            try transaction.execute(
                """
                DELETE FROM repetition
                WHERE tenant = $1 AND principal = $2 AND idempotency_key = $3 AND started_at < $4
                """, key.principal, key.text, oldest)
            let claimed = try transaction.execute(
                """
                INSERT INTO repetition (tenant, principal, idempotency_key, request_hash, started_at)
                VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant, principal, idempotency_key) DO NOTHING
                """, key.principal, key.text, key.request, now)
            if claimed == 1 { return nil }
            guard
                let row = try transaction.row(
                    """
                    SELECT request_hash, answer FROM repetition
                    WHERE tenant = $1 AND principal = $2 AND idempotency_key = $3
                    """, key.principal, key.text)
            else { throw Self.unfinished }
            guard try row.blob(0) == key.request else { throw Self.keyReused }
            guard let sealed = try row.blobIfAny(1) else { throw Self.unfinished }
            let place = NorthboundSchema.answerColumn.place(key.tenant, row: key.principal, key.text)
            let stored = try StoredAnswer(bytes: ring.open(sealed, at: place, in: transaction))
            if let place = try stored.placeOfSecret { throw Self.secretShown(place.isEmpty ? nil : place) }
            return try stored.answer
        }
    }

    private func store(_ answer: StoredAnswer, for key: RepetitionKey) async throws {
        let ring = keyRing
        try await database.tenant(key.tenant).write { transaction -> Void in
            let place = NorthboundSchema.answerColumn.place(key.tenant, row: key.principal, key.text)
            let sealed = try ring.seal(answer.bytes, at: place, in: transaction)
            try transaction.execute(
                """
                UPDATE repetition SET answer = $4 WHERE tenant = $1 AND principal = $2 AND idempotency_key = $3
                """, key.principal, key.text, sealed)
        }
    }

    private func release(_ key: RepetitionKey) async throws {
        try await database.tenant(key.tenant).write { transaction -> Void in
            try transaction.execute(
                """
                DELETE FROM repetition
                WHERE tenant = $1 AND principal = $2 AND idempotency_key = $3 AND request_hash = $4
                """, key.principal, key.text, key.request)
        }
    }
}

/// An answer in the form in which it is kept.
private struct StoredAnswer: Sendable {
    let bytes: [UInt8]

    /// Nil for answers that are streamed or too large to keep.
    init?(_ answer: Answer, isSecret: Bool) {
        var members: [String: JSONValue] = ["status": .integer(Int64(answer.status.code))]
        switch answer.content {
        case .none: break
        case .json where isSecret: members["secret"] = true
        case .json(let value): members["body"] = value
        case .bytes, .stream: return nil
        }
        if let location = answer.headers[.location] { members["location"] = .string(location) }
        if let tag = answer.headers[.eTag] { members["tag"] = .string(tag) }
        bytes = Array(JSONValue.object(members).canonical.utf8)
        guard bytes.count <= NorthboundLimits.replayedAnswerBytes else { return nil }
    }

    init(bytes: [UInt8]) { self.bytes = bytes }

    private var value: JSONValue {
        get throws {
            let limits = JSONLimits(bytes: NorthboundLimits.replayedAnswerBytes, depth: NorthboundLimits.jsonDepth * 2)
            return try JSONValue(parsing: bytes, limits: limits)
        }
    }

    /// Where that is whose secret the answer held, empty when that has no address; nil when it held none.
    var placeOfSecret: String? {
        get throws { try value["secret"] == true ? value["location"]?.string ?? "" : nil }
    }

    var answer: Answer {
        get throws {
            let value = try value
            let status = HTTPResponse.Status(code: Int(value["status"]?.integer ?? 200))
            var headers: HTTPFields = [.idempotencyReplayed: "true"]
            headers[.location] = value["location"]?.string
            headers[.eTag] = value["tag"]?.string
            return Answer(status, value["body"].map { .json($0) } ?? .none, headers: headers)
        }
    }
}
