public import Base

/// A database as one tenant sees it: `$1` is bound to the tenant and arguments start at `$2`.
public struct TenantDatabase: Sendable {
    /// Whose rows it reaches.
    public let tenant: TenantID
    private let database: Database

    init(_ database: Database, _ tenant: TenantID) {
        self.database = database
        self.tenant = tenant
    }

    /// Runs `body` in a read transaction, which sees one state of the database.
    public func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await database.run(.read, .tenant(tenant), body)
    }

    /// Runs `body` in a write transaction and commits when it returns; it is on disk when this returns.
    @discardableResult
    public func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value
    {
        try await database.run(.write, .tenant(tenant), body)
    }
}

/// A database as the platform sees it: its own tables, arguments from `$1`, and tenants only by saying so.
public struct PlatformDatabase: Sendable {
    private let database: Database

    init(_ database: Database) {
        self.database = database
    }

    /// Runs `body` in a read transaction, which sees one state of the database.
    public func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await database.run(.read, .platform, body)
    }

    /// Runs `body` in a write transaction and commits when it returns; it is on disk when this returns.
    @discardableResult
    public func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value
    {
        try await database.run(.write, .platform, body)
    }
}
