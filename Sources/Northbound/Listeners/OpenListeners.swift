import NIOCore
import Synchronization

/// Which of the people's side's listeners accept connections now.
final class OpenListeners: Sendable {
    private let expected: [NorthboundServer.Listener]
    private let addresses = Mutex<[NorthboundServer.Listener: SocketAddress?]>([:])

    /// None is open yet of these.
    init(expected: [NorthboundServer.Listener]) {
        self.expected = expected
    }

    /// Where a listener listens, while it does.
    subscript(listener: NorthboundServer.Listener) -> SocketAddress? { addresses.withLock { $0[listener] ?? nil } }

    /// A listener accepts from now on.
    func opened(_ listener: NorthboundServer.Listener, at address: SocketAddress?) {
        addresses.withLock { $0[listener] = .some(address) }
    }

    /// A listener accepts nothing any more.
    func closed(_ listener: NorthboundServer.Listener) { addresses.withLock { _ = $0.removeValue(forKey: listener) } }

    /// A sentence for each that should accept and does not.
    var missing: [String] {
        let open = addresses.withLock { Set($0.keys) }
        return expected.filter { !open.contains($0) }.map { "the \($0.rawValue) listener is not open" }
    }
}
