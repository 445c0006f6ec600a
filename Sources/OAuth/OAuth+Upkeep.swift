public import Base
import Storage

extension OAuth {
    /// Removes what has ended long enough ago that nobody can present it again; call it about once an hour.
    public func prune() async throws {
        let now = clock.now
        let long = now - OAuthLimits.keptAfterEnd
        for (table, key, condition, time) in [
            ("oauth_code", "hash", "expires < $1", long),
            ("oauth_connection", "hash", "expires < $1", now - OAuthLimits.connectionKept),
            ("oauth_assertion", "hash", "expires < $1", now),
            // A credential goes with it from here; its own end is long past.
            ("oauth_family", "id", "expires < $1 OR ended < $1", long),
        ] {
            let sql = """
                DELETE FROM \(table) WHERE \(key) IN (
                    SELECT \(key) FROM \(table) WHERE \(condition) LIMIT \(OAuthLimits.removedRows))
                """
            while try await database.platform.write({ try $0.execute(sql, time) }) > 0 {}
        }
    }

    /// Removes everything of a deleted tenant.
    public func purge(_ tenant: TenantID) async throws {
        for (table, key) in [
            ("oauth_code", "hash"), ("oauth_connection", "hash"), ("oauth_family", "id"), ("oauth_client", "id"),
        ] {
            let sql = """
                DELETE FROM \(table) WHERE owner = $1 AND \(key) IN (
                    SELECT \(key) FROM \(table) WHERE owner = $1 LIMIT \(OAuthLimits.removedRows))
                """
            while try await database.tenant(tenant).write({ try $0.execute(sql) }) > 0 {}
        }
    }
}
