public import Access
public import Base
import Fleet
import Storage

/// A stretch of a list.
public struct OperationPage<Item: Sendable>: Sendable {
    /// What stands in it.
    public let items: [Item]
    /// The key after which the next page begins; nil when this is the last.
    public let next: String?
}

extension Operations {
    /// The operations, the newest first: all of them for who sees every device's tasks, one's own for everybody else.
    public func operations(
        state: Operation.State? = nil, after: OperationID? = nil, limit: Int, in tenant: TenantID,
        by principal: Principal
    ) async throws -> OperationPage<Operation> {
        try await database.tenant(tenant).read { transaction in
            var sql = SQLBuilder()
            var parts: [String] = []
            if !(try seesAll(principal, in: tenant, transaction)) {
                parts.append("o.creator = \(sql.bind(principal.id))")
            }
            if let state { parts.append("o.state = \(sql.bind(state.rawValue))") }
            if let after { parts.append("o.id < \(sql.bind(after))") }
            let rows = try transaction.rows(
                """
                SELECT \(OperationStore.columns) FROM operation o
                WHERE o.tenant = $1\(parts.map { " AND \($0)" }.joined()) ORDER BY o.id DESC
                LIMIT \(sql.bind(limit + 1))
                """, arguments: sql.arguments)
            let shown = rows.prefix(limit)
            let ids = try shown.map { try $0.identifier(0, as: OperationID.self) }
            let counts = try OperationStore.counts(of: ids, in: transaction)
            let items = try zip(shown, ids).map { try OperationStore.read($0, counts: counts[$1] ?? [:]) }
            return OperationPage(items: items, next: rows.count > limit ? ids.last?.text : nil)
        }
    }

    /// An operation, and what it brings to all its devices; nil when that may be a secret.
    public func operation(
        _ id: OperationID, in tenant: TenantID, by principal: Principal
    ) async throws -> (operation: Operation, input: JSONValue?) {
        try await database.tenant(tenant).read { transaction in
            let operation = try visible(id, in: tenant, by: principal, transaction)
            let input = operation.type.isSecret ? nil : try input(of: id, in: tenant, transaction)
            return (operation, input)
        }
    }

    /// An operation that the caller may see; throws `operation.unknown` else.
    func visible(
        _ id: OperationID, in tenant: TenantID, by principal: Principal, _ transaction: Transaction
    ) throws -> Operation {
        try require(.taskRead, of: principal, in: tenant, transaction)
        guard let operation = try OperationStore.find(id, in: transaction) else { throw Self.unknown }
        if operation.creator == principal.id { return operation }
        guard try seesAll(principal, in: tenant, transaction) else { throw Self.unknown }
        return operation
    }

    /// Throws unless the caller may do this to some device at least.
    func require(
        _ permission: Permission, of principal: Principal, in tenant: TenantID, _ transaction: Transaction
    ) throws {
        let scope = try access.visibleDevices(principal, permission, tenant: tenant, in: transaction)
        guard scope == .some(domains: [], devices: []) else { return }
        // Where they may look at tasks at least, they are told what they lack.
        var place: DomainID?
        if case .some(let domains, _) = try access.visibleDevices(
            principal, permission.revealing, tenant: tenant, in: transaction)
        {
            place = domains.first
        }
        try access.authorize(principal, permission, tenant: tenant, domain: place, in: transaction)
    }

    /// Whether the caller sees the tasks of every device.
    func seesAll(_ principal: Principal, in tenant: TenantID, _ transaction: Transaction) throws -> Bool {
        try access.visibleDevices(principal, .taskRead, tenant: tenant, in: transaction) == .all
    }
}
