import Base
import Bus
import Fleet

/// Hears of what sessions must know, for as long as it lives: devices whose access ended, and what devices are wanted
/// to be.
final class BusWatch: Sendable {
    private let subscriptions: [Subscription]

    init(
        _ bus: Bus, ended: @escaping @Sendable (DeviceID) -> Void,
        desired: @escaping @Sendable (DesiredChanged) -> Void
    ) {
        subscriptions = [
            bus.subscribe(to: DeviceAccessEnded.self) { event in
                if event.fingerprint == nil { ended(event.device) }
            }, bus.subscribe(to: DesiredChanged.self, desired),
        ]
    }

    deinit {
        for subscription in subscriptions { subscription.cancel() }
    }
}
