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
}

/// Installs the handlers of an MQTT connection on its event loop; what arrives before the future succeeds is kept.
public typealias MQTTPipeline = @Sendable (any NIOCore.Channel, ConnectionIdentity) -> EventLoopFuture<Void>
