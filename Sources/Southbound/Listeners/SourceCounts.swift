import Synchronization

/// Counts open connections and handshakes, in all and by source, and says when one more is too many.
///
/// One lock for all loops: it is taken three times in a connection's life, never for a request.
final class SourceCounts: Sendable {
    /// Why a connection is not let in.
    enum Verdict: Hashable {
        case admitted
        case full
        case sourceFull
        case sourceBusy
    }

    private struct Count {
        var open: Int32 = 0
        var handshakes: Int32 = 0
    }

    private struct Counts {
        var open = 0
        var handshakes = 0
        var bySource: [ClientAddress: Count] = [:]
    }

    private let limits: SouthboundLimits
    private let counts = Mutex(Counts())

    init(limits: SouthboundLimits) { self.limits = limits }

    var open: Int { counts.withLock { $0.open } }
    var handshakes: Int { counts.withLock { $0.handshakes } }
    var sources: Int { counts.withLock { $0.bySource.count } }

    /// Counts a connection that begins its handshake, unless that is too many.
    func begin(_ address: ClientAddress) -> Verdict {
        counts.withLock { counts in
            guard counts.open < limits.connections else { return .full }
            var count = counts.bySource[address.source] ?? Count()
            guard Int(count.open) < limits.connectionsPerAddress else { return .sourceFull }
            guard Int(count.handshakes) < limits.handshakesPerAddress else { return .sourceBusy }
            count.open += 1
            count.handshakes += 1
            counts.open += 1
            counts.handshakes += 1
            counts.bySource[address.source] = count
            return .admitted
        }
    }

    /// The connection's handshake is over, one way or the other.
    func finishHandshake(_ address: ClientAddress) {
        counts.withLock { counts in
            counts.handshakes -= 1
            counts.bySource[address.source]?.handshakes -= 1
        }
    }

    /// The connection is gone; its handshake must have been finished.
    func end(_ address: ClientAddress) {
        counts.withLock { counts in
            counts.open -= 1
            guard var count = counts.bySource[address.source] else { return }
            count.open -= 1
            // An address without connections takes no memory, so that the table is bounded by the open ones.
            counts.bySource[address.source] = count.open > 0 ? count : nil
        }
    }
}
