import Access
public import Base
import Fleet
import NIOCore
import Synchronization
import Trust

/// The open connections of admitted devices, so that a device's end of access reaches them at once, and so that no
/// device or tenant opens more than its plan allows.
public final class ConnectionRegistry: Sendable {
    private struct Entry {
        var channel: any NIOCore.Channel
        var tenant: TenantID
        var credential: Fingerprint?
    }

    private struct Connections {
        var byDevice: [DeviceID: [Entry]] = [:]
        /// Connections of gateways, which speak for any of a tenant's devices and so count for none of them.
        var gateways: [TenantID: [ObjectIdentifier: any NIOCore.Channel]] = [:]
        var countByTenant: [TenantID: Int] = [:]

        /// The tenant has one connection less.
        mutating func leave(_ tenant: TenantID) {
            let rest = (countByTenant[tenant] ?? 1) - 1
            countByTenant[tenant] = rest > 0 ? rest : nil
        }
    }

    private let connections = Mutex(Connections())
    private let counters: SouthboundCounters

    /// A registry without connections, whose counters are in `metrics`.
    public init(metrics: Metrics) { counters = SouthboundCounters(metrics) }

    /// How many devices have a connection.
    public var deviceCount: Int { connections.withLock { $0.byDevice.count } }

    /// How many connections this tenant's devices have.
    public func count(of tenant: TenantID) -> Int { connections.withLock { $0.countByTenant[tenant] ?? 0 } }

    /// Notes that the device speaks on this channel, or says false when its tenant has too many connections or its
    /// access has ended meanwhile.
    func register(_ device: AdmittedDevice, on channel: any NIOCore.Channel, by directory: DeviceDirectory) -> Bool {
        guard let plan = directory.plan(of: device.tenant),
            register(device, on: channel, deviceLimit: plan.deviceConnections, tenantLimit: plan.tenantConnections)
        else { return false }
        // From here on an end of access finds the connection; one that came before is seen now.
        guard directory.isAdmitted(device) else {
            unregister(device, from: channel)
            return false
        }
        return true
    }

    /// Notes that the device speaks on this channel, or says false when its tenant has too many connections.
    ///
    /// A device over its own limit loses its oldest connection instead: after a fall of the network the old one is
    /// often dead without either side knowing, and must not keep the device out.
    func register(
        _ device: AdmittedDevice, on channel: any NIOCore.Channel, deviceLimit: Int, tenantLimit: Int
    ) -> Bool {
        let displaced: [Entry]? = connections.withLock { connections in
            var entries = connections.byDevice[device.device] ?? []
            var displaced: [Entry] = []
            while entries.count >= max(deviceLimit, 1) { displaced.append(entries.removeFirst()) }
            let others = (connections.countByTenant[device.tenant] ?? 0) - displaced.count
            guard others < tenantLimit else { return nil }
            entries.append(Entry(channel: channel, tenant: device.tenant, credential: device.credential))
            connections.byDevice[device.device] = entries
            connections.countByTenant[device.tenant] = others + 1
            return displaced
        }
        guard let displaced else { return false }
        counters.displaced.add(displaced.count)
        for entry in displaced { Self.end(entry.channel, .displaced) }
        return true
    }

    /// Notes that a gateway of the tenant speaks on this channel, or says false when the tenant has too many connections.
    func register(gatewayOf tenant: TenantID, on channel: any NIOCore.Channel, tenantLimit: Int) -> Bool {
        connections.withLock { connections in
            guard (connections.countByTenant[tenant] ?? 0) < tenantLimit else { return false }
            connections.gateways[tenant, default: [:]][ObjectIdentifier(channel)] = channel
            connections.countByTenant[tenant, default: 0] += 1
            return true
        }
    }

    /// Forgets a gateway's channel; a second call does nothing.
    func unregister(gatewayOf tenant: TenantID, from channel: any NIOCore.Channel) {
        connections.withLock { connections in
            guard connections.gateways[tenant]?.removeValue(forKey: ObjectIdentifier(channel)) != nil else { return }
            if connections.gateways[tenant]?.isEmpty == true { connections.gateways[tenant] = nil }
            connections.leave(tenant)
        }
    }

    /// Forgets the channel; a second call does nothing.
    func unregister(_ device: AdmittedDevice, from channel: any NIOCore.Channel) {
        connections.withLock { connections in
            guard var entries = connections.byDevice[device.device],
                let index = entries.firstIndex(where: { $0.channel === channel })
            else { return }
            entries.remove(at: index)
            connections.byDevice[device.device] = entries.isEmpty ? nil : entries
            connections.leave(device.tenant)
        }
    }

    /// Closes the device's connections, or only those that used this credential.
    func end(_ device: DeviceID, credential: Fingerprint?) {
        let channels = connections.withLock { connections in
            (connections.byDevice[device] ?? []).filter { credential == nil || $0.credential == credential }
                .map(\.channel)
        }
        end(channels)
    }

    /// Closes the connections of all devices of a tenant.
    func end(allOf tenant: TenantID) {
        let channels = connections.withLock { connections in
            connections.byDevice.values.joined().filter { $0.tenant == tenant }.map(\.channel)
                + Array((connections.gateways[tenant] ?? [:]).values)
        }
        end(channels)
    }

    private func end(_ channels: [any NIOCore.Channel]) {
        counters.ended.add(channels.count)
        for channel in channels { Self.end(channel, .accessEnded) }
    }

    private static func end(_ channel: any NIOCore.Channel, _ why: DeviceConnectionEnd) {
        channel.eventLoop.execute {
            guard channel.isActive else { return }
            // The protocol may say goodbye; then the socket closes, whether or not the peer has read anything.
            channel.pipeline.fireUserInboundEventTriggered(why)
            channel.cut()
        }
    }
}
