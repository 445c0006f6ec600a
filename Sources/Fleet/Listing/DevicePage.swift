public import Base

/// One page of a list of devices.
public struct DevicePage: Sendable {
    /// One device of the list.
    public struct Item: Sendable {
        /// The device.
        public let device: Device
        /// The name of its model.
        public let modelName: Name?
        /// Its presence at this moment.
        public let presence: PresenceState
        /// How it stands to its heartbeat.
        public let heartbeat: HeartbeatStanding
        /// What the database has as the time it was last heard, by which the list is sorted.
        let writtenSeen: Timestamp?

        /// The item as JSON.
        public var json: JSONValue {
            guard case .object(var members) = device.json else { return .null }
            members["modelName"] = modelName.map { .string($0.text) } ?? .null
            members["presence"] = presence.json
            members["heartbeat"] = heartbeat.json
            return .object(members)
        }
    }

    /// The devices.
    public let items: [Item]
    /// Where the next page begins; nil when this is the last.
    public let next: String?
    /// How many devices match in all, when that was asked for.
    public let count: Count?
}
