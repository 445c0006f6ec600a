import Base
import Trust

/// One operation of EST (RFC 7030, section 3.2.2).
enum ESTOperation: String, Hashable, Sendable {
    case cacerts
    case csrattrs
    case simpleenroll
    case simplereenroll

    /// The only method that the operation answers to.
    var isRead: Bool { self == .cacerts || self == .csrattrs }
}

/// What a request's target asks for.
enum DeviceRoute: Hashable, Sendable {
    /// Enrolment for a tenant, nil when only the credential can tell which, and for a channel, nil for the usual one.
    case est(ESTOperation, tenant: TenantSlug?, channel: Trust.Channel?)
    /// Telemetry of a device of this tenant.
    case telemetry(tenant: TenantSlug)
    /// Work for a device of this tenant.
    case work(tenant: TenantSlug, WorkResource)
    /// hawkBit's Direct Device Integration.
    case ddi(DDIPath)

    /// The route that `target` names, or nil when there is none.
    ///
    /// EST's path is `/.well-known/est/{op}`. The tenant stands before it, because strongSwan's `pki` can only put a
    /// prefix there, or in the place of RFC 7030's label. A further label may follow: `stream` asks for the streaming
    /// channel's certificate, any other does not count.
    /// Nothing of that is percent-decoded: no part of a known path needs it.
    init?(target: String) {
        guard target.utf8.count <= Limits.targetBytes else { return nil }
        var path = target.utf8[...]
        if let scheme = Self.authorityEnd(path) { path = path[scheme...] }
        var query: Substring?
        if let mark = path.firstIndex(of: UInt8(ascii: "?")) {
            query = Substring(path[path.index(after: mark)...])
            path = path[..<mark]
        }
        guard path.first == UInt8(ascii: "/") else { return nil }
        let parts = path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { Substring($0) }
        guard let last = parts.last else { return nil }
        if parts.count == 2, last == "telemetry", let tenant = TenantSlug(parts[0]) {
            self = .telemetry(tenant: tenant)
            return
        }
        if let resource = WorkResource(parts.dropFirst()), let tenant = TenantSlug(parts[0]) {
            self = .work(tenant: tenant, resource)
            return
        }
        if let path = DDIPath(parts, query: query) {
            self = .ddi(path)
            return
        }
        guard let operation = ESTOperation(rawValue: String(last)),
            let start = parts.firstIndex(of: ".well-known"), start + 1 < parts.count - 1, parts[start + 1] == "est"
        else { return nil }
        let before = parts[..<start]
        let between = parts[(start + 2)..<(parts.count - 1)]
        guard !between.contains(where: \.isEmpty) else { return nil }
        let (tenant, label): (Substring?, Substring?)
        switch (before.count, between.count) {
        case (0, 0...2): (tenant, label) = (between.first, between.dropFirst().first)
        case (1, 0...1): (tenant, label) = (before.first, between.first)
        default: return nil
        }
        let slug = tenant.flatMap { TenantSlug($0) }
        guard (slug == nil) == (tenant == nil) else { return nil }
        self = .est(operation, tenant: slug, channel: label.flatMap { Trust.Channel(rawValue: String($0)) })
    }

    /// Where the path begins in a target in absolute form, which every server must understand (RFC 9112, section 3.2.2).
    private static func authorityEnd(_ target: Substring.UTF8View) -> Substring.UTF8View.Index? {
        let scheme = "https://".utf8
        guard target.starts(with: scheme) else { return nil }
        return target.dropFirst(scheme.count).firstIndex(of: UInt8(ascii: "/"))
    }
}
