import Synchronization

/// The answers to polls with nothing to do, made once for each length of a pause.
final class ReadyPolls: Sendable {
    private let ready = Mutex<[Int64: Answer]>([:])
    private let body: @Sendable (_ pause: Int64) -> [UInt8]

    /// Answers with these bodies.
    init(_ body: @escaping @Sendable (_ pause: Int64) -> [UInt8]) { self.body = body }

    /// The answer that tells this pause.
    func answer(_ pause: Int64) -> Answer {
        ready.withLock { ready in
            if let answer = ready[pause] { return answer }
            if ready.count >= Limits.readyPolls { ready.removeAll(keepingCapacity: true) }
            let answer = Answer(status: .ok, contentType: "application/json", body: body(pause))
            ready[pause] = answer
            return answer
        }
    }
}
