import Base
import Synchronization

/// Which devices have told what they are since the server started; the others are asked with their next poll.
///
/// A device that has installed something tells again, because it is another one then.
final class AttributesGiven: Sendable {
    private let devices = Mutex<Set<DeviceID>>([])

    /// Whether the device need not tell.
    func contains(_ device: DeviceID) -> Bool { devices.withLock { $0.contains(device) } }

    /// The device has told.
    func insert(_ device: DeviceID) {
        devices.withLock { devices in
            // More than there can be at once: devices that are gone are among them, and the others may tell again.
            if devices.count >= Limits.rememberedAttributes { devices.removeAll() }
            devices.insert(device)
        }
    }

    /// The device is to tell again.
    func remove(_ device: DeviceID) { devices.withLock { _ = $0.remove(device) } }
}
