public import Base

/// What the operator decides about deliveries.
public struct DeliverySettings: Sendable {
    /// The mail server for every tenant that has none of its own; nil leaves their mails in the outbox.
    public var mailServer: MailServer?
    /// Which addresses tenants' outlets may lie at.
    public var policy: NetworkPolicy
    /// How long deliveries are kept after they were made.
    public var retention: Duration
    /// The name under which this server is known, in lines of syslog.
    public var host: String
    /// Names this server process among those that share a database: what it had claimed is free again when it starts.
    public var node: String
    /// The name of a tenant for people, in lines of syslog.
    public var tenantName: @Sendable (TenantID) -> String
    /// The longest rest between two looks for due deliveries.
    public var interval: Duration

    /// Settings with the given values.
    public init(
        mailServer: MailServer? = nil, policy: NetworkPolicy = NetworkPolicy(),
        retention: Duration = .seconds(30 * 86_400), host: String, node: String, interval: Duration = .seconds(1),
        tenantName: @escaping @Sendable (TenantID) -> String = { $0.text }
    ) {
        self.mailServer = mailServer
        self.policy = policy
        self.retention = retention
        self.host = host
        self.node = node
        self.interval = interval
        self.tenantName = tenantName
    }
}
