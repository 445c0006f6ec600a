import Access
import Audit
public import Base
import Bus
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import SignIn
import Storage
import Telemetry
import Trust

/// Marks identifiers of saved views.
enum ViewKind {}

/// What each visitor has arranged for themselves in a tenant: page sizes, columns, views.
struct Preferences: Sendable {
    /// A list as a visitor wants to find it again.
    struct SavedView: Sendable {
        let id: Identifier<ViewKind>
        let name: String
        let query: String
    }

    let database: Database
    let clock: WallClock

    /// The visitor's value of this name.
    func value(_ name: String, of visit: TenantVisit) async throws -> String? {
        let principal = visit.principal.id
        return try await database.tenant(visit.tenant.id).read { tx in
            try tx.row(
                "SELECT value FROM console_preference WHERE tenant = $1 AND principal = $2 AND name = $3", principal,
                name
            ).map { try $0.text(0) }
        }
    }

    /// Keeps a value.
    func set(_ name: String, _ value: String, of visit: TenantVisit) async throws {
        let principal = visit.principal.id
        try await database.tenant(visit.tenant.id).write { tx -> Void in
            try tx.execute(
                """
                INSERT INTO console_preference (tenant, principal, name, value) VALUES ($1, $2, $3, $4)
                ON CONFLICT (tenant, principal, name) DO UPDATE SET value = excluded.value
                """, principal, name, value)
        }
    }

    /// The visitor's views in the order in which they were saved.
    func views(of visit: TenantVisit) async throws -> [SavedView] {
        let principal = visit.principal.id
        return try await database.tenant(visit.tenant.id).read { tx in
            try tx.rows(
                """
                SELECT id, name, query FROM console_view WHERE tenant = $1 AND principal = $2 ORDER BY created, id
                """, principal
            ).map { SavedView(id: try $0.identifier(0), name: try $0.text(1), query: try $0.text(2)) }
        }
    }

    /// Saves a view; one of the same name is replaced.
    func save(_ name: String, _ query: String, of visit: TenantVisit) async throws {
        guard name.count <= ConsoleLimits.viewNameCharacters, query.utf8.count <= ConsoleLimits.viewQueryBytes else {
            throw Refusal(
                .invalid, "view.invalid", "A view's name has at most \(ConsoleLimits.viewNameCharacters) characters.")
        }
        let (principal, now) = (visit.principal.id, clock.now)
        try await database.tenant(visit.tenant.id).write { tx -> Void in
            try tx.execute(
                "DELETE FROM console_view WHERE tenant = $1 AND principal = $2 AND name = $3", principal, name)
            let count = try tx.row(
                "SELECT count(*) FROM console_view WHERE tenant = $1 AND principal = $2", principal
            ).map { try $0.int(0) }
            guard (count ?? 0) < ConsoleLimits.views else {
                throw Refusal(
                    .limited, "view.tooMany", "You have \(ConsoleLimits.views) views, the most you may. Remove one.")
            }
            try tx.execute(
                """
                INSERT INTO console_view (tenant, id, principal, name, query, created) VALUES ($1, $2, $3, $4, $5, $6)
                """, Identifier<ViewKind>(now: now), principal, name, query, now)
        }
    }

    /// Removes one of the visitor's own views.
    func remove(_ id: String, of visit: TenantVisit) async throws {
        guard let id = Identifier<ViewKind>(text: id) else { return }
        let principal = visit.principal.id
        try await database.tenant(visit.tenant.id).write { tx -> Void in
            try tx.execute("DELETE FROM console_view WHERE tenant = $1 AND id = $2 AND principal = $3", id, principal)
        }
    }
}

extension ConsoleParts {
    /// The visitors' preferences.
    var preferences: Preferences { Preferences(database: database, clock: clock) }

    /// Removes what a deleted tenant's visitors had arranged.
    public func purge(_ tenant: TenantID) async throws {
        try await database.tenant(tenant).write { tx -> Void in
            try tx.execute("DELETE FROM console_preference WHERE tenant = $1")
            try tx.execute("DELETE FROM console_view WHERE tenant = $1")
            try tx.execute("DELETE FROM console_bulk_refusal WHERE tenant = $1")
            try tx.execute("DELETE FROM console_bulk WHERE tenant = $1")
            try tx.execute("DELETE FROM console_report WHERE tenant = $1")
        }
    }
}
