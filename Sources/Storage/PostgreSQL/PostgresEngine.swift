final class PostgresEngine: Engine {
    var kind: DatabaseKind { .postgres }
    static func open(url: String, _ options: DatabaseOptions) async throws -> PostgresEngine {
        throw StorageError(.unavailable, "PostgreSQL is not served yet")
    }
    func transaction<Value: Sendable>(
        _ access: Access, _ scope: Scope, _ body: @escaping @Sendable (any Session) throws -> Outcome<Value>
    ) async throws -> Value { throw StorageError(.unavailable, "") }
    func maintenance<Value: Sendable>(_ body: @escaping @Sendable (any MaintenanceSession) throws -> Value) async throws
        -> Value
    { throw StorageError(.unavailable, "") }
    func inspection<Value: Sendable>(_ body: @escaping @Sendable (any Session) throws -> Value) async throws -> Value {
        throw StorageError(.unavailable, "")
    }
    func close() async {}
}
