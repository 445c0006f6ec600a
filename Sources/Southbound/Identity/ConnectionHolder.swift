import Access
import Fleet
import NIOCore
import NIOHTTP1

/// For whom a connection counts against the plan's limits.
///
/// A certificate says that once. A token says it with each request, so it can be another device's later; a gateway's
/// says another one each time, so its connections count for the tenant alone.
struct ConnectionHolder {
    private enum Holder {
        case device(AdmittedDevice)
        case gateway(AdmittedDevice)
    }

    private var holder: Holder?

    /// The holder of a new connection: the device of its certificate, which is registered already, or nobody yet.
    init(registered device: AdmittedDevice?) { holder = device.map { .device($0) } }

    /// The connection is this device's from now on; false when it may have no further one.
    mutating func change(
        to device: AdmittedDevice, _ head: HTTPRequestHead, on channel: any NIOCore.Channel,
        _ registry: ConnectionRegistry, _ directory: DeviceDirectory
    ) -> Bool {
        if case .device(let known)? = holder, known.device == device.device { return true }
        guard case .gateway = Authorization(head.headers.first(name: "authorization")) else {
            leave(channel, registry)
            guard registry.register(device, on: channel, by: directory) else { return false }
            holder = .device(device)
            return true
        }
        if case .gateway(let known)? = holder, known.tenant == device.tenant { return true }
        leave(channel, registry)
        guard let plan = directory.plan(of: device.tenant),
            registry.register(gatewayOf: device.tenant, on: channel, tenantLimit: plan.tenantConnections)
        else { return false }
        holder = .gateway(device)
        return true
    }

    /// The connection is nobody's any more; a second call does nothing.
    mutating func leave(_ channel: any NIOCore.Channel, _ registry: ConnectionRegistry) {
        switch holder {
        case .device(let device): registry.unregister(device, from: channel)
        case .gateway(let device): registry.unregister(gatewayOf: device.tenant, from: channel)
        case nil: break
        }
        holder = nil
    }
}
