import Base
import Bus
import Fleet
import Synchronization

/// Which devices are wanted to be something that they have not fetched over HTTPS since the server started.
///
/// It lives in memory, so that a heartbeat costs no look into the database. After a start of the server a device is told
/// once more, which the document's version makes harmless; so fetching costs no row.
final class DesiredNews: Sendable {
    private let waiting = Mutex<[DeviceID: Int64]>([:])

    /// The version that waits for a device, if one does.
    func version(for device: DeviceID) -> Int64? { waiting.withLock { $0[device] } }

    /// There is this version for a device.
    func add(_ version: Int64, for device: DeviceID) {
        waiting.withLock { $0[device] = max($0[device] ?? 0, version) }
    }

    /// The device has got this version.
    func fetched(_ version: Int64, by device: DeviceID) {
        waiting.withLock { waiting in
            if let known = waiting[device], known <= version { waiting[device] = nil }
        }
    }

    /// The device is no more.
    func forget(_ device: DeviceID) { waiting.withLock { $0[device] = nil } }

    /// Follows changes for as long as the subscriptions live.
    func follow(_ bus: Bus) -> [Subscription] {
        [
            bus.subscribe(to: DesiredChanged.self) { [self] in add($0.document.version, for: $0.device) },
            bus.subscribe(to: DeviceChanged.self) { [self] event in
                if event.change == .deleted { forget(event.device) }
            },
        ]
    }
}
