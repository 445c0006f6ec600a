public import Access
public import Base
import Storage

/// A device whose telemetry somebody may read, and which of its series are not for them.
public struct ReadableDevice: Sendable {
    /// The device.
    public let device: Device
    /// The series of classes of data that the reader has no right to; to them they are as absent.
    public let hidden: Set<String>

    /// Whether the reader may know of a series.
    public func allows(_ series: String) -> Bool { !hidden.contains(series) }
}

extension Fleet {
    /// The device of this name or identifier, for a caller who may read its telemetry.
    ///
    /// Reading telemetry is a right of its own beside seeing the device, and classes of data take further ones.
    public func readable(
        _ text: String, in tenant: TenantID, by principal: Principal
    ) async throws -> ReadableDevice {
        let reference = try Self.reference(text)
        return try await database.tenant(tenant).read { transaction in
            let device = try device(reference, of: tenant, for: principal, .telemetryRead, in: transaction)
            let model = device.model.flatMap { directory.model($0) }
            let classes = Set(model?.series.compactMap(\.dataClass) ?? [])
            let hidden = try classes.filter { dataClass in
                try !access.isAllowed(
                    principal, dataClass.permission, tenant: tenant, domain: device.domain, device: device.id,
                    in: transaction)
            }
            let names = model?.series.filter { $0.dataClass.map(hidden.contains) ?? false }.map(\.name) ?? []
            return ReadableDevice(device: device, hidden: Set(names))
        }
    }
}
