import NIOCore

/// Decides when a peer is too slow to be served: one that drips its request, and one that does not take its answer.
///
/// Only time in which the server waits for the peer counts, so a server that is itself slow to read never blames the
/// peer. Times are in nanoseconds of the event loop's clock.
struct SlowPeer {
    private enum Request {
        case none
        case receiving(bytes: Int, waited: Int64)
    }

    /// How long a receiver may take nothing.
    private let stall: Int64
    private var request = Request.none
    private var readSince: Int64?
    private var fullSince: Int64?

    /// Judges a peer that may take nothing of an answer for `stall`.
    init(stall: Duration = .seconds(NorthboundLimits.stalledSeconds)) {
        let (seconds, attoseconds) = stall.components
        self.stall = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    /// A request's header has come.
    mutating func requestBegan() { request = .receiving(bytes: 0, waited: 0) }

    /// The request is complete.
    mutating func requestEnded() { request = .none }

    /// The server asks for more.
    mutating func readBegan(at now: Int64) { if readSince == nil { readSince = now } }

    /// Something has come.
    mutating func received(_ bytes: Int, at now: Int64) {
        if case .receiving(let count, let waited) = request {
            request = .receiving(bytes: count &+ bytes, waited: waited &+ (readSince.map { now - $0 } ?? 0))
        }
        readSince = nil
    }

    /// The peer takes what is sent, or has stopped taking it.
    mutating func writabilityChanged(_ isWritable: Bool, at now: Int64) {
        fullSince = isWritable ? nil : fullSince ?? now
    }

    /// Whether the connection should be closed now.
    func isTooSlow(at now: Int64) -> Bool {
        if let fullSince, now - fullSince > stall { return true }
        guard case .receiving(let bytes, let waited) = request else { return false }
        let waiting = waited + (readSince.map { now - $0 } ?? 0)
        let earned = Int64(bytes / NorthboundLimits.slowBytesPerSecond)
        return waiting > (Int64(NorthboundLimits.slowGraceSeconds) + earned) * 1_000_000_000
    }
}
