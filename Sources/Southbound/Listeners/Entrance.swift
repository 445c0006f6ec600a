import Access
import Fleet
public import NIOCore

/// The two device-facing listeners.
enum ListenerKind: String, Sendable {
    /// HTTP or MQTT, as TLS agrees.
    case device
    /// MQTT only.
    case mqtt
}

/// What every new connection needs, whichever listener it came to.
struct Entrance: Sendable {
    let check: PeerCheck
    let http: DeviceHTTPService
    let mqttPipeline: MQTTPipeline

    /// Notes an HTTP connection of the device, or says false when it must not stay.
    func register(_ device: AdmittedDevice, on channel: any NIOCore.Channel) -> Bool {
        guard let plan = check.directory.plan(of: device.tenant),
            http.registry.register(
                device, on: channel, deviceLimit: plan.deviceConnections, tenantLimit: plan.tenantConnections)
        else { return false }
        // From here on an end of access finds the connection; one that came before is seen now.
        guard check.directory.isAdmitted(device) else {
            http.registry.unregister(device, from: channel)
            return false
        }
        return true
    }
}

/// Installs the handlers of an MQTT connection on its event loop; what arrives before the future succeeds is kept.
public typealias MQTTPipeline = @Sendable (any NIOCore.Channel, ConnectionIdentity) -> EventLoopFuture<Void>
