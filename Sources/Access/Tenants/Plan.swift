public import Base

/// A tenant's quotas and rates; every figure is a real number, none means "without limit".
public struct Plan: Sendable, Hashable {
    /// The stable identifier.
    public let id: PlanID
    /// The name, unique in the deployment.
    public var name: Name
    /// Devices that may be registered.
    public var devices = 1_000_000
    /// Domains in the tree.
    public var domains = 10_000
    /// Users and clients.
    public var principals = 10_000
    /// Messages that one device may send in a second.
    public var deviceMessagesPerSecond = 100
    /// Bytes that one device may send in a second.
    public var deviceBytesPerSecond = 1 << 20
    /// Connections that one device may hold.
    public var deviceConnections = 8
    /// Messages of all devices together in a second.
    public var tenantMessagesPerSecond = 200_000
    /// Bytes of all devices together in a second.
    public var tenantBytesPerSecond = 128 << 20
    /// Connections of all devices together.
    public var tenantConnections = 1_000_000
    /// Requests to the API in a second.
    public var requestsPerSecond = 500
    /// Days that readings are kept.
    public var rawDays = 3_650
    /// Days that summaries of readings are kept.
    public var rollupDays = 36_500
    /// Days that entries of the audit log are kept; their hashes stay.
    public var auditDays = 3_650

    /// Mebibytes of artifacts that may be kept.
    public var artifactMegabytes = 51_200
    /// Kibibytes that all devices together may download in a second.
    public var downloadKilobytesPerSecond = 131_072

    /// A plan with generous figures.
    public init(id: PlanID, name: Name) {
        self.id = id
        self.name = name
    }

    /// The plan of a tenant that was given none; always there.
    public static let standardID = PlanID(high: 0, low: 1)

    /// Every figure with the name it has in the database and the API.
    public static var figures: [(name: String, value: any WritableKeyPath<Plan, Int> & Sendable)] {
        [
            ("devices", \.devices),
            ("domains", \.domains),
            ("principals", \.principals),
            ("device_messages_per_second", \.deviceMessagesPerSecond),
            ("device_bytes_per_second", \.deviceBytesPerSecond),
            ("device_connections", \.deviceConnections),
            ("tenant_messages_per_second", \.tenantMessagesPerSecond),
            ("tenant_bytes_per_second", \.tenantBytesPerSecond),
            ("tenant_connections", \.tenantConnections),
            ("requests_per_second", \.requestsPerSecond),
            ("raw_days", \.rawDays),
            ("rollup_days", \.rollupDays),
            ("audit_days", \.auditDays),
            ("artifact_megabytes", \.artifactMegabytes),
            ("download_kilobytes_per_second", \.downloadKilobytesPerSecond),
        ]
    }
}
