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

    /// Some devices of a tenant that are to be looked at, and the row that says so.
    struct Part: Sendable {
        /// The row; nil when each device has one of its own.
        var row: (kind: String, place: [UInt8], position: DeviceID?)?
        var devices: [DeviceID]
    }

    /// The next devices of a tenant to work out; nil when none are left. For a transaction that keeps nobody waiting,
    /// because to find them may take as long as a domain is large.
    static func next(_ limit: Int, in transaction: Transaction) throws -> Part? {
        let single = try transaction.rows(
            """
            SELECT place FROM desired_refresh WHERE tenant = $1 AND kind = 'device' ORDER BY place LIMIT \(limit)
            """
        ).map { try $0.identifier(0, as: DeviceID.self) }
        if !single.isEmpty { return Part(row: nil, devices: single) }
        guard
            let row = try transaction.row(
                "SELECT kind, place, position FROM desired_refresh WHERE tenant = $1 ORDER BY kind, place LIMIT 1")
        else { return nil }
        let kind = try row.text(0)
        let scope: Scope =
            switch kind {
            case "domain": .layer(.domain(try row.identifier(1)))
            case "model": .layer(.model(try row.identifier(1)))
            default: .from(try row.identifier(1))
            }
        let position = try row.identifierIfAny(2, as: DeviceID.self)
        var sql = SQLBuilder()
        var parts = [condition(scope, &sql)]
        if let position { parts.append("d.id > \(sql.bind(position))") }
        let subjects = try subjects(parts, limit, sql, in: transaction)
        return Part(row: (kind, try row.blob(1), position), devices: subjects.map(\.id))
    }

    /// Notes a part as done, and answers with its devices as they are now; nil when the row was written anew since the
    /// part was read.
    static func take(
        _ part: Part, _ limit: Int, in transaction: Transaction
    ) throws -> [DesiredRefresh.Subject]? {
        if let row = part.row {
            let present = try transaction.row(
                "SELECT position FROM desired_refresh WHERE tenant = $1 AND kind = $2 AND place = $3", row.kind,
                row.place)
            guard let present, try present.identifierIfAny(0, as: DeviceID.self) == row.position else { return nil }
            if part.devices.count == limit, let last = part.devices.last {
                try transaction.execute(
                    "UPDATE desired_refresh SET position = $4 WHERE tenant = $1 AND kind = $2 AND place = $3",
                    row.kind, row.place, last)
            } else {
                try transaction.execute(
                    "DELETE FROM desired_refresh WHERE tenant = $1 AND kind = $2 AND place = $3", row.kind, row.place)
            }
        } else {
            for device in part.devices {
                try transaction.execute(
                    "DELETE FROM desired_refresh WHERE tenant = $1 AND kind = 'device' AND place = $2", device)
            }
        }
        guard !part.devices.isEmpty else { return [] }
        var sql = SQLBuilder()
        let list = part.devices.map { sql.bind($0) }.joined(separator: ", ")
        return try subjects(["d.id IN (\(list))"], limit, sql, in: transaction)
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
        // Holds of every device; only a statement that says so may use the index of devices by domain.
        case .layer(.domain(let domain)): "d.revision > 0 AND " + DomainSubtree.condition(roots: [domain], &sql)
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

    /// Does the next part of whatever waits: edits, and documents to be worked out; false when nothing was done.
    ///
    /// Work of a tenant that fails is told to `failed` and waits, for itself alone.
    func desiredStep(_ failed: DesiredPauses.Report = { _, _ in }) async throws -> Bool {
        var (didWork, failure): (Bool, (any Error)?) = (false, nil)
        do { didWork = try await editStep(failed) } catch { failure = error }
        didWork = try await refreshStep(failed) || didWork
        if let failure { throw failure }
        return didWork
    }

    /// Works out the next devices of each tenant that has some; false when nothing was done.
    func refreshStep(_ failed: DesiredPauses.Report = { _, _ in }) async throws -> Bool {
        let tenants = try await database.platform.read { try RefreshQueue.tenants(in: $0) }
        return try await eachTenant(tenants, .refreshes, failed) { tenant in
            let handle = database.tenant(tenant)
            guard let part = try await handle.read({ try RefreshQueue.next(FleetLimits.bulkStep, in: $0) }) else {
                return
            }
            try await handle.write { transaction in
                guard let subjects = try RefreshQueue.take(part, FleetLimits.bulkStep, in: transaction),
                    !subjects.isEmpty
                else { return }
                var refresh = try DesiredRefresh(self, tenant, in: transaction)
                try refresh.refresh(subjects, in: transaction)
            }
        }
    }

    /// Hears what moves devices under other layers, in the transactions that do it.
    func followLayers() {
        access.domainChanges.add { [self] tenant, domain, change, transaction in
            switch change {
            case .moved:
                let scoped = transaction.scoped(to: tenant)
                try refreshDesired(.layer(.domain(domain)), in: scoped)
                try hideInherited(in: tenant, scoped)
            case .deleted: try LayerStore.delete(.domain(domain), in: transaction.scoped(to: tenant))
            }
        }
    }
}
