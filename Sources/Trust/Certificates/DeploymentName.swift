public import Base

/// The name of this installation in certificates, `fleet.example.com` or `localhost`: one or more lower-case labels.
public struct DeploymentName: Hashable, Sendable, CustomStringConvertible {
    /// The checked text.
    public let text: String

    /// The name spelt by `text`, or nil unless each label follows the rule for a tenant's slug.
    public init?(_ text: some StringProtocol) {
        guard (1...Limits.deploymentNameBytes).contains(text.utf8.count) else { return nil }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.allSatisfy({ TenantSlug($0) != nil }) else { return nil }
        // A host that could be read as an IPv4 address can not carry a name constraint (RFC 5280, 4.2.1.10).
        guard let last = labels.last, !last.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        self.text = String(text)
    }

    /// The host that stands for one tenant in certificates: `<tenant>.<deployment>`.
    public func host(of tenant: TenantSlug) -> String { "\(tenant.text).\(text)" }

    /// The name's text.
    public var description: String { text }
}
