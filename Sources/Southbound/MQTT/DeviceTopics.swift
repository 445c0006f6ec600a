import MQTT
import Telemetry

/// What a device may publish and subscribe: its identity comes from its credential, so topics name no device.
enum DeviceTopics {
    /// What a message is about.
    enum Publication {
        /// Readings, in any format or the one that the topic fixes.
        case telemetry(TelemetryFormat?)
        /// No topic of a device.
        case unknown
    }

    /// What `topic` is for.
    static func publication(_ topic: Topic) -> Publication {
        if topic == "telemetry" { return .telemetry(nil) }
        if topic == "v1/devices/me/telemetry" { return .telemetry(.thingsBoardJSON) }
        return .unknown
    }

    /// The filters that a device on the maintenance channel may subscribe to.
    static let subscribable: Set<String> = [
        "desired", "tasks", "v1/devices/me/attributes", "v1/devices/me/attributes/response/+",
        "v1/devices/me/rpc/request/+",
    ]
}
