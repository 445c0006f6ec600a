/// How a log behaves; the defaults suit a server.
public struct AuditSettings: Sendable {
    /// How often pending entries get their place in the tree.
    public var sequencingInterval: Duration = .milliseconds(500)
    /// How often new entries are signed for.
    public var checkpointInterval: Duration = .seconds(10)
    /// How often counted refusals become entries.
    public var summaryInterval: Duration = .seconds(10)
    /// How often the whole database is searched for pending entries, which another node or an earlier run may have
    /// left.
    public var searchInterval: Duration = .seconds(10)
    /// How often at most a tenant's checkpoint is entered in the platform's log; the checkpoint file has every one.
    public var anchorInterval: Duration = .seconds(60)

    /// The default behaviour.
    public init() {}
}
