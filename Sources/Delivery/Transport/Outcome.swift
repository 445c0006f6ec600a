/// How an attempt ended.
enum Outcome: Sendable, Hashable {
    /// The receiver has taken it.
    case delivered(String)
    /// It may work later. `isOutage` says that the outlet itself does not work, whatever is sent.
    case failed(String, isOutage: Bool, retryAfter: Duration? = nil)
    /// It will never work: the receiver has refused this very message.
    case refused(String)

    /// What happened, in a few words without any text from the receiver.
    var words: String {
        switch self {
        case .delivered(let words), .failed(let words, _, _), .refused(let words): words
        }
    }

    var isDelivered: Bool { if case .delivered = self { true } else { false } }
}
