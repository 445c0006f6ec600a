import NIOCore

/// The requests of one HTTP connection, strictly one after the other: says what to do at each event and does nothing.
///
///     awaiting ── head ──▶ collecting ── end ──▶ working ── answer ──▶ awaiting
///        │                     │ too large                                ▲
///        │ refused at once     ▼                                          │
///        └───────────────▶ dropping ──────────────── end ─────────────────┘
///
/// Every state goes to `closing` when the connection can not be kept; nothing is read any more then.
struct HTTPExchange<Work> {
    /// How a request says where its body ends.
    enum Framing: Hashable {
        case none
        case length(Int)
        case chunked
    }

    /// What is to be done with a request, decided from its head.
    enum Plan {
        /// Answer at once; the body does not matter.
        case answer(Answer)
        /// Read the body, up to `limit` bytes, then do the work.
        case collect(Work, limit: Int)

        /// The work that is to be done, if any is.
        var work: Work? { if case .collect(let work, _) = self { work } else { nil } }
    }

    /// What the caller does next.
    enum Action {
        case nothing
        case sendContinue
        case send(Answer, closing: Bool)
        case work(Work, body: ByteBuffer)
        case close
    }

    private enum State {
        case awaiting
        case collecting(Work, limit: Int, body: ByteBuffer)
        case dropping(rest: Int)
        case working
        case closing
    }

    private var state = State.awaiting
    private var keepsAlive = true

    /// True while the next request has to wait.
    var isWorking: Bool { if case .working = state { true } else { false } }
    /// True between two requests.
    var isAwaiting: Bool { if case .awaiting = state { true } else { false } }
    /// True while a body is read to be kept.
    var isCollecting: Bool { if case .collecting = state { true } else { false } }
    /// True when nothing is read any more.
    var isClosing: Bool { if case .closing = state { true } else { false } }

    /// The connection is to end with the request under way; true when there is none and it can end now.
    mutating func finish() -> Bool {
        keepsAlive = false
        return isAwaiting
    }

    /// Nothing more is read or answered.
    mutating func close() { state = .closing }

    /// A request begins.
    mutating func head(_ framing: Framing, expectsContinue: Bool, keepsAlive: Bool, plan: Plan) -> Action {
        guard case .awaiting = state else { return .nothing }
        self.keepsAlive = self.keepsAlive && keepsAlive
        switch plan {
        case .answer(let answer):
            return refuse(answer, framing: framing, awaitsContinue: expectsContinue)
        case .collect(let work, let limit):
            if case .length(let length) = framing, length > limit {
                return refuse(.tooLarge, framing: framing, awaitsContinue: expectsContinue)
            }
            state = .collecting(work, limit: limit, body: ByteBuffer())
            return expectsContinue && framing != .none ? .sendContinue : .nothing
        }
    }

    /// Some of a body has come.
    mutating func body(_ bytes: ByteBuffer) -> Action {
        switch state {
        case .collecting(let work, let limit, var body):
            guard body.readableBytes + bytes.readableBytes <= limit else {
                return refuse(.tooLarge, framing: .chunked, awaitsContinue: false)
            }
            // Parked without the body, so that appending does not copy it.
            state = .working
            if body.readableBytes == 0 { body = bytes } else { body.writeImmutableBuffer(bytes) }
            state = .collecting(work, limit: limit, body: body)
            return .nothing
        case .dropping(let rest):
            guard bytes.readableBytes <= rest else {
                state = .closing
                return .close
            }
            state = .dropping(rest: rest - bytes.readableBytes)
            return .nothing
        case .awaiting, .working, .closing: return .nothing
        }
    }

    /// A request has come completely.
    mutating func end() -> Action {
        switch state {
        case .collecting(let work, _, let body):
            state = .working
            return .work(work, body: body)
        case .dropping:
            state = keepsAlive ? .awaiting : .closing
            return keepsAlive ? .nothing : .close
        case .awaiting, .working, .closing: return .nothing
        }
    }

    /// The work is done, or given up.
    mutating func answer(_ answer: Answer) -> Action {
        switch state {
        case .working:
            keepsAlive = keepsAlive && !answer.closes
            state = keepsAlive ? .awaiting : .closing
            return .send(answer, closing: !keepsAlive)
        case .collecting: return refuse(answer, framing: .chunked, awaitsContinue: false)
        case .awaiting, .dropping, .closing: return .nothing
        }
    }

    /// Answers before the body has come; a small one is dropped to keep the connection.
    private mutating func refuse(_ answer: Answer, framing: Framing, awaitsContinue: Bool) -> Action {
        keepsAlive = keepsAlive && !answer.closes
        switch framing {
        case .none: break
        case .length(let length): keepsAlive = keepsAlive && length <= Limits.droppedBodyBytes && !awaitsContinue
        // Without a length nobody knows how much would have to be dropped.
        case .chunked: keepsAlive = false
        }
        // The end of the request is still to come, even when there is no body.
        state = keepsAlive ? .dropping(rest: Limits.droppedBodyBytes) : .closing
        return .send(answer, closing: !keepsAlive)
    }
}
