public import Access
public import Base
import Storage

/// The versions of one component across a fleet.
public struct ComponentVersions: Sendable, Hashable {
    /// How many devices have a version.
    public struct Count: Sendable, Hashable {
        /// The version.
        public let version: String
        /// How many devices have it.
        public let devices: Int
    }

    /// The component.
    public let name: String
    /// Its versions with how many devices have each, the most frequent first.
    public let versions: [Count]
}

extension Fleet {
    /// The versions of all components, of the devices of which the caller may see a report.
    public func versions(in tenant: TenantID, by principal: Principal) async throws -> [ComponentVersions] {
        try await database.tenant(tenant).read { transaction in
            var sql = SQLBuilder()
            let within = try reportCondition(nil, of: tenant, for: principal, &sql, in: transaction) ?? "1 = 1"
            var counts: [String: [String: Int]] = [:]
            // Devices of one make have the same text, so there are few: the engine counts, and few are read.
            try transaction.forEach(
                "SELECT d.components, count(*) FROM device d WHERE d.tenant = $1 AND \(within) GROUP BY d.components",
                arguments: sql.arguments
            ) { row in
                let devices = try row.int(1)
                for (name, version) in StoredDocument.words(try row.text(0)) {
                    counts[name, default: [:]][version, default: 0] += devices
                }
            }
            return counts.sorted { $0.key < $1.key }.map { name, versions in
                ComponentVersions(
                    name: name,
                    versions: versions.map { .init(version: $0.key, devices: $0.value) }
                        .sorted { ($1.devices, $0.version) < ($0.devices, $1.version) })
            }
        }
    }
}
