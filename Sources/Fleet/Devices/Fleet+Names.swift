package import Access
package import Base
package import Storage

extension Fleet {
    /// What devices are called, as far as the caller sees every device of the tenant.
    package func names(
        of devices: [DeviceID], tenant: TenantID, by principal: Principal, in tx: Transaction
    ) throws -> [DeviceID: Name] {
        guard try access.visibleDevices(principal, .deviceRead, tenant: tenant, in: tx) == .all else { return [:] }
        var names: [DeviceID: Name] = [:]
        for id in Set(devices) { names[id] = try DeviceStore.find(.id(id), in: tx)?.name }
        return names
    }
}
