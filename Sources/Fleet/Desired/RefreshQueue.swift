import Access
import Base
import Storage

/// What must be worked out anew after layers, domains or models changed: rows, so that a restart goes on where it was.
enum RefreshQueue {
    /// Whose desired documents are meant.
    enum Scope: Hashable {
        case layer(LayerPlace)
        /// This device and all that were registered after it.
        case from(DeviceID)

        var key: (kind: String, place: [UInt8]) {
            switch self {
            case .layer(let place): (place.kind, place.bytes)
            case .from(let device): ("from", device.bytes)
            }
        }
    }

    /// Notes that these devices' documents must be worked out, in the transaction of what changed.
    static func add(_ scope: Scope, in transaction: Transaction) throws {
        let key = scope.key
        try transaction.execute(
            """
            INSERT INTO desired_refresh (tenant, kind, place, position) VALUES ($1, $2, $3, NULL)
            ON CONFLICT (tenant, kind, place) DO UPDATE SET position = NULL
            """, key.kind, key.place)
    }

    /// The tenants with something to work out.
    static func tenants(in transaction: Transaction) throws -> [TenantID] {
        try transaction.acrossTenants.rows("SELECT DISTINCT tenant FROM desired_refresh").map { try $0.identifier(0) }
    }

    /// The next devices of a tenant to work out, which are noted as done; nil when none are left.
    static func take(_ limit: Int, in transaction: Transaction) throws -> [DesiredRefresh.Subject]? {
        let single = try transaction.rows(
            """
            SELECT r.place, d.domain, d.model FROM desired_refresh r
            LEFT JOIN device d ON d.tenant = r.tenant AND d.id = r.place
            WHERE r.tenant = $1 AND r.kind = 'device' ORDER BY r.place LIMIT \(limit)
            """)
        if !single.isEmpty {
            for row in single {
                try transaction.execute(
                    "DELETE FROM desired_refresh WHERE tenant = $1 AND kind = 'device' AND place = $2", try row.blob(0))
            }
            return try single.filter { !$0.isNull(1) }.map { row in
                .init(
                    id: try row.identifier(0),
                    seat: .init(model: try row.identifierIfAny(2), domain: try row.identifier(1)))
            }
        }
        guard
            let row = try transaction.row(
                "SELECT kind, place, position FROM desired_refresh WHERE tenant = $1 ORDER BY kind, place LIMIT 1")
        else { return nil }
        let (kind, place) = (try row.text(0), try row.blob(1))
        var sql = SQLBuilder()
        let scope: Scope =
            switch kind {
            case "domain": .layer(.domain(try row.identifier(1)))
            case "model": .layer(.model(try row.identifier(1)))
            default: .from(try row.identifier(1))
            }
        var parts = [condition(scope, &sql)]
        if let position = try row.identifierIfAny(2, as: DeviceID.self) { parts.append("d.id > \(sql.bind(position))") }
        let subjects = try Self.subjects(parts, limit, sql, in: transaction)
        if subjects.count < limit {
            try transaction.execute(
                "DELETE FROM desired_refresh WHERE tenant = $1 AND kind = $2 AND place = $3", kind, place)
        } else if let last = subjects.last {
            try transaction.execute(
                "UPDATE desired_refresh SET position = $4 WHERE tenant = $1 AND kind = $2 AND place = $3", kind, place,
                last.id)
        }
        return subjects
    }

    /// The next devices that a layer reaches.
    static func page(
        of place: LayerPlace, after position: DeviceID?, in transaction: Transaction
    ) throws -> [DesiredRefresh.Subject] {
        var sql = SQLBuilder()
        var parts = [condition(.layer(place), &sql)]
        if let position { parts.append("d.id > \(sql.bind(position))") }
        return try subjects(parts, FleetLimits.previewStep, sql, in: transaction)
    }

    private static func condition(_ scope: Scope, _ sql: inout SQLBuilder) -> String {
        switch scope {
        case .layer(.domain(let domain)): DomainSubtree.condition(roots: [domain], &sql)
        case .layer(.model(let model)): "d.model IS NOT NULL AND d.model = \(sql.bind(model))"
        case .layer(.device(let device)): "d.id = \(sql.bind(device))"
        case .from(let device): "d.id >= \(sql.bind(device))"
        }
    }

    private static func subjects(
        _ parts: [String], _ limit: Int, _ sql: SQLBuilder, in transaction: Transaction
    ) throws -> [DesiredRefresh.Subject] {
        try transaction.rows(
            """
            SELECT d.id, d.domain, d.model FROM device d
            WHERE d.tenant = $1 AND \(parts.joined(separator: " AND ")) ORDER BY d.id LIMIT \(limit)
            """, arguments: sql.arguments
        ).map { row in
            DesiredRefresh.Subject(
                id: try row.identifier(0),
                seat: .init(model: try row.identifierIfAny(2), domain: try row.identifier(1)))
        }
    }
}

extension Fleet {
    /// Notes in the transaction of an act that devices' desired documents must be worked out anew, if anything is desired
    /// in the tenant at all.
    func refreshDesired(_ scope: RefreshQueue.Scope, in transaction: Transaction) throws {
        guard try LayerStore.isUsed(in: transaction) else { return }
        try RefreshQueue.add(scope, in: transaction)
        transaction.afterCommit { [desiredBell] in desiredBell.ring() }
    }

    /// Does the next part of whatever waits: edits, and documents to be worked out; false when nothing did.
    package func desiredStep() async throws -> Bool {
        let (edits, refreshes) = (try await editStep(), try await refreshStep())
        return edits || refreshes
    }

    /// Works out the next devices of each tenant that has some; false when there were none.
    func refreshStep() async throws -> Bool {
        let tenants = try await database.platform.read { try RefreshQueue.tenants(in: $0) }
        for tenant in tenants {
            try await database.tenant(tenant).write { transaction in
                guard let subjects = try RefreshQueue.take(FleetLimits.bulkStep, in: transaction) else { return }
                guard !subjects.isEmpty else { return }
                var refresh = try DesiredRefresh(self, tenant, in: transaction)
                try refresh.refresh(subjects, in: transaction)
            }
        }
        return !tenants.isEmpty
    }

    /// Hears what moves devices under other layers, in the transactions that do it.
    func followLayers() {
        access.domainChanges.add { [self] tenant, domain, change, transaction in
            switch change {
            case .moved: try refreshDesired(.layer(.domain(domain)), in: transaction.scoped(to: tenant))
            case .deleted: try LayerStore.delete(.domain(domain), in: transaction.scoped(to: tenant))
            }
        }
    }
}
