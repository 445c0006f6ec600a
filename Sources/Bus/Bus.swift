import Synchronization

/// A fact that one part of the server tells the others after its transaction has committed.
public protocol Event: Sendable {}

/// Carries events between the parts of one process.
///
/// Delivery is synchronous, in the order of publishing on the publisher's thread: when `publish` returns, every
/// handler has seen the event. A revocation therefore reaches the connections before its caller gets an answer.
/// Handlers must be quick and never block: they hand longer work to their own queue.
public final class Bus: Sendable {
    private struct Handlers {
        var next: UInt64 = 0
        var byType: [ObjectIdentifier: [(id: UInt64, handle: @Sendable (any Event) -> Void)]] = [:]
    }

    private let handlers = Mutex(Handlers())

    /// A bus without subscribers.
    public init() {}

    /// Calls `handler` for each event of this type until the subscription is cancelled.
    @discardableResult
    public func subscribe<E: Event>(to type: E.Type, _ handler: @escaping @Sendable (E) -> Void) -> Subscription {
        let key = ObjectIdentifier(type)
        let id = handlers.withLock { handlers in
            handlers.next += 1
            handlers.byType[key, default: []].append(
                (handlers.next, { event in if let event = event as? E { handler(event) } }))
            return handlers.next
        }
        return Subscription { [weak self] in
            self?.handlers.withLock { $0.byType[key]?.removeAll { $0.id == id } }
        }
    }

    /// Hands `event` to every subscriber of its type, on this thread.
    public func publish<E: Event>(_ event: E) {
        let current = handlers.withLock { $0.byType[ObjectIdentifier(E.self)] ?? [] }
        for subscriber in current { subscriber.handle(event) }
    }
}

/// One subscriber's place on the bus.
public struct Subscription: Sendable {
    private let stop: @Sendable () -> Void

    init(_ stop: @escaping @Sendable () -> Void) { self.stop = stop }

    /// Ends delivery; events being delivered on another thread at this moment may still arrive.
    public func cancel() { stop() }
}
