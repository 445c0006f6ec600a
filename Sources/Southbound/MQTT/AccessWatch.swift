import Base
import Bus
import Fleet

/// Hears of devices whose access ended, for as long as it lives.
final class AccessWatch: Sendable {
    private let subscription: Subscription

    init(_ bus: Bus, ended: @escaping @Sendable (DeviceID) -> Void) {
        subscription = bus.subscribe(to: DeviceAccessEnded.self) { event in
            if event.fingerprint == nil { ended(event.device) }
        }
    }

    deinit { subscription.cancel() }
}
