/// How an attempt ended.
enum Outcome: Sendable, Hashable {
    /// The receiver has taken it.
    case delivered(String)
    /// It may work later. `isOutage` says that the outlet itself does not work, whatever is sent; `hasAnswered` that
    /// there was somebody who said so, maybe to this sender only.
    case failed(String, isOutage: Bool, hasAnswered: Bool = false, retryAfter: Duration? = nil)
    /// It will never work: the receiver has refused this very message. `mayChange` says that receivers have been known
    /// to change their mind, so that a few attempts are worth it.
    case refused(String, mayChange: Bool = false)

    /// What happened, in a few words without any text from the receiver.
    var words: String {
        switch self {
        case .delivered(let words), .failed(let words, _, _, _), .refused(let words, _): words
        }
    }

    var isDelivered: Bool { if case .delivered = self { true } else { false } }

    /// True when the receiver has said anything at all.
    var hasAnswered: Bool {
        switch self {
        case .delivered, .refused: true
        case .failed(_, _, let hasAnswered, _): hasAnswered
        }
    }
}

// MARK: - What answers mean

extension Outcome {
    /// What an HTTP status says, and when it wants to be asked again.
    init(status: Int, retryAfter: Duration? = nil) {
        switch status {
        case 200..<300: self = .delivered("HTTP \(status)")
        case 300..<400:
            self = .failed("HTTP \(status): redirects are not followed", isOutage: true, hasAnswered: true)
        case 410: self = .refused("HTTP 410: the receiver wants no more")
        // These are about the sender, its account or its haste, and not about what is sent.
        case 401, 402, 403, 404, 407, 408, 425, 429:
            self = .failed("HTTP \(status)", isOutage: true, hasAnswered: true, retryAfter: retryAfter)
        case 400..<500: self = .refused("HTTP \(status): the receiver refused this message", mayChange: true)
        default: self = .failed("HTTP \(status)", isOutage: true, hasAnswered: true, retryAfter: retryAfter)
        }
    }

    /// What a mail server's last answer says; nil when it is no complaint. Before the recipient was named it can not be
    /// about this mail.
    init?(smtp answer: Int, hasNamedRecipient: Bool) {
        switch answer {
        case 400..<450: self = .failed("SMTP \(answer)", isOutage: true, hasAnswered: true)
        case 450..<500: self = .failed("SMTP \(answer)", isOutage: !hasNamedRecipient, hasAnswered: true)
        // Who must sign in, and can not, is told so at any moment.
        case 500..<600 where !hasNamedRecipient || [530, 534, 535, 538].contains(answer):
            self = .failed("SMTP \(answer)", isOutage: true, hasAnswered: true)
        case 500..<600: self = .refused("SMTP \(answer): the mail server refused this mail")
        default: return nil
        }
    }
}
