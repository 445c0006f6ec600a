public import Base

/// Whose chunk it is and of which hour; its checksum covers this, so that a chunk in another's row is found out.
public struct ChunkPlace: Hashable, Sendable {
    /// The tenant that the device belongs to.
    public var tenant: TenantID
    /// The device.
    public var device: DeviceID
    /// Hours since the epoch.
    public var hour: UInt32

    /// The place of one device and hour.
    public init(tenant: TenantID, device: DeviceID, hour: UInt32) {
        self.tenant = tenant
        self.device = device
        self.hour = hour
    }

    /// Where the checksum begins: with the identifiers' 16 bytes each and the hour, little-endian.
    var checksumSeed: UInt32 {
        var bytes = tenant.bytes + device.bytes
        for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: hour >> shift)) }
        return bytes.withUnsafeBytes { Checksum.of($0) }
    }
}
