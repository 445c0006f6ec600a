import MQTT
import Telemetry

/// What a device may publish and subscribe: its identity comes from its credential, so topics name no device.
enum DeviceTopics {
    /// What a message is about.
    enum Publication {
        /// Readings, in any format or the one that the topic fixes.
        case telemetry(TelemetryFormat?)
        /// A part of what the device reports of itself.
        case reported
        /// ThingsBoard's client attributes: the same, in its own way.
        case attributes
        /// Events that happened to the device.
        case events
        /// A ThingsBoard device's request for attributes, under this number of its own.
        case attributeRequest(String)
        /// How the task with this number goes.
        case status(String)
        /// What a ThingsBoard device answers to the call with this number.
        case callAnswer(String)
        /// A ThingsBoard device calls the server, under this number of its own.
        case call(String)
        /// No topic of a device.
        case unknown
    }

    /// Where a device hears what it is wanted to be.
    static let desired = Topic(literal: "desired")
    /// Where a ThingsBoard device publishes its attributes and hears of changed ones.
    static let attributes = Topic(literal: "v1/devices/me/attributes")
    /// Where a ThingsBoard device hears answers to its requests, as a filter.
    static let attributeResponses = "v1/devices/me/attributes/response/+"

    /// Where a device hears of its tasks.
    static let tasks = Topic(literal: "tasks")
    /// Where a ThingsBoard device is called, as a filter.
    static let calls = "v1/devices/me/rpc/request/+"
    /// Where a ThingsBoard device hears answers to its own calls, as a filter.
    static let callResponses = "v1/devices/me/rpc/response/+"

    /// What `topic` is for.
    static func publication(_ topic: Topic) -> Publication {
        switch topic {
        case "telemetry": return .telemetry(nil)
        case "v1/devices/me/telemetry": return .telemetry(.thingsBoardJSON)
        case "reported": return .reported
        case "events": return .events
        case "v1/devices/me/attributes": return .attributes
        default: break
        }
        if let number = topic.level(after: "v1/devices/me/attributes/request/") { return .attributeRequest(number) }
        if let number = topic.level(after: "tasks/", before: "/status") { return .status(number) }
        if let number = topic.level(after: "v1/devices/me/rpc/response/") { return .callAnswer(number) }
        if let number = topic.level(after: "v1/devices/me/rpc/request/") { return .call(number) }
        return .unknown
    }

    /// Where the answer to the request with this number goes.
    static func attributeResponse(_ number: String) -> Topic? {
        try? Topic("v1/devices/me/attributes/response/\(number)")
    }

    /// Where a ThingsBoard device hears the call with this number.
    static func call(_ number: Int64) -> Topic? { try? Topic("v1/devices/me/rpc/request/\(number)") }

    /// Where the answer to a device's own call with this number goes.
    static func callResponse(_ number: String) -> Topic? { try? Topic("v1/devices/me/rpc/response/\(number)") }

    /// The filters that a device on the maintenance channel may subscribe to.
    static let subscribable: Set<String> = [
        "desired", "tasks", "v1/devices/me/attributes", attributeResponses, calls, callResponses,
    ]
}
