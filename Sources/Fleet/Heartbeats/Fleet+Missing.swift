package import Base
package import Storage
import Synchronization

/// A device that is late or silent, as the database has it.
package struct MissingDevice: Sendable, Hashable {
    /// The device.
    package let device: DeviceID
    /// Where it lives.
    package let domain: DomainID
    /// Whether it is silent, and not only late.
    package let isSilent: Bool
    /// Since when.
    package let since: Timestamp
}

extension Fleet {
    /// The devices of a tenant that are late or silent, by what is stored.
    package func missing(in transaction: Transaction) throws -> [MissingDevice] {
        var found: [MissingDevice] = []
        try transaction.forEach(
            """
            SELECT h.device, d.domain, h.state, h.since FROM device_heartbeat h
            JOIN device d ON d.tenant = h.tenant AND d.id = h.device WHERE h.tenant = $1 AND h.state IN (1, 2)
            """
        ) { row in
            found.append(
                MissingDevice(
                    device: try row.identifier(0), domain: try row.identifier(1),
                    isSilent: try HeartbeatState(code: row.integer(2)) == .silent, since: try row.timestamp(3)))
        }
        return found
    }

    /// Where a device lives that is let in.
    package func home(of device: DeviceID) -> DomainID? { directory.active(device)?.device.domain }

    /// How many seconds after its last call a device that is gone may become late, under its policy; 0 when nobody waits
    /// for it.
    package func wave(of device: DeviceID) -> Int64 {
        heartbeats.shard(of: device).state.withLock { $0.wave(of: device) ?? 0 }
    }

    /// What devices are called, for a part that has decided who may know.
    package func names(of devices: [DeviceID], in transaction: Transaction) throws -> [String] {
        try devices.compactMap { try DeviceStore.find(.id($0), in: transaction)?.name.text }
    }
}
