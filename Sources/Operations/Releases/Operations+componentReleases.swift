public import Access
public import Base
import Storage

/// The releases of one component in the order in which they follow each other, as far as versions are compared.
public struct ComponentReleases: Sendable, Hashable {
    /// A version of the line that was published at some time.
    public struct Version: Sendable, Hashable {
        /// The release.
        public let release: ReleaseID
        /// What people call it.
        public let version: String
        /// Where it stands in the line.
        public let counter: Int64
        /// Whether it can be installed.
        public let isPublished: Bool
    }

    /// The component.
    public let component: String
    /// Those that were published, withdrawn ones included, the newest first.
    public let versions: [Version]
    /// The newest one that can be installed; nil when there is none.
    public let newest: Version?
}

extension Operations {
    /// The line of every component that has a release or a draft of one, by component.
    public func componentReleases(in tenant: TenantID, by principal: Principal) async throws -> [ComponentReleases] {
        try await database.tenant(tenant).read { transaction in
            try access.authorize(principal, .releaseRead, tenant: tenant, in: transaction)
            var lines: [ComponentReleases] = []
            var (component, versions, newest) = ("", [ComponentReleases.Version](), ComponentReleases.Version?.none)
            func end() {
                guard !component.isEmpty else { return }
                lines.append(ComponentReleases(component: component, versions: versions, newest: newest))
            }
            try transaction.forEach(
                "SELECT component, id, version, counter, state FROM release WHERE tenant = $1 ORDER BY component, counter DESC"
            ) { row in
                let name = try row.text(0)
                if name != component {
                    end()
                    (component, versions, newest) = (name, [], nil)
                }
                let state = Release.State(rawValue: try row.text(4))
                guard state != .draft else { return }
                let version = ComponentReleases.Version(
                    release: try row.identifier(1), version: try row.text(2), counter: try row.integer(3),
                    isPublished: state == .published)
                versions.append(version)
                if newest == nil, state == .published { newest = version }
            }
            end()
            return lines
        }
    }
}
