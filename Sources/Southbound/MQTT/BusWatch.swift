import Base
import Bus
import Fleet
import Operations

/// Hears of what sessions must know, for as long as it lives: devices whose access ended, what devices are wanted to be,
/// and that work waits for them.
final class BusWatch: Sendable {
    private let subscriptions: [Subscription]

    init(
        _ bus: Bus, ended: @escaping @Sendable (DeviceID) -> Void,
        desired: @escaping @Sendable (DesiredChanged) -> Void, posted: @escaping @Sendable (DeviceID) -> Void
    ) {
        subscriptions = [
            bus.subscribe(to: DeviceAccessEnded.self) { event in
                if event.fingerprint == nil { ended(event.device) }
            }, bus.subscribe(to: DesiredChanged.self, desired),
            bus.subscribe(to: TaskPosted.self) { posted($0.device) },
        ]
    }

    deinit {
        for subscription in subscriptions { subscription.cancel() }
    }
}
