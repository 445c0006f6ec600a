public import Base
public import Bus

/// Something changed that open pages of a tenant show: those that follow the topic ask for it anew.
public struct TopicChanged: Event, Hashable {
    /// The tenant.
    public let tenant: TenantID
    /// The topic, a word of the program's own, as pages name it.
    public let topic: String

    /// A change of this topic.
    public init(tenant: TenantID, topic: String) {
        self.tenant = tenant
        self.topic = topic
    }
}
