public import Access
import Audit
public import Base
import Storage

/// A program that a person lets act for them.
public struct ConnectedProgram: Sendable {
    /// What names the consent.
    public let id: String
    /// The program's name for people.
    public let name: String
    /// What it may use.
    public let scope: Scope
    /// When it was let in.
    public let since: Timestamp
    /// When it was last active.
    public let lastUsed: Timestamp?
    /// When the person must be asked again.
    public let ends: Timestamp
}

extension OAuth {
    /// The programs that somebody lets act for them, the newest first.
    public func connectedPrograms(of person: Principal) async throws -> [ConnectedProgram] {
        try await database.platform.read { tx in
            try tx.scoped(to: person.tenant).rows(
                """
                SELECT f.id, f.client, f.scope, f.made, f.expires, (
                    SELECT max(k.last_used) FROM oauth_issue i JOIN credential k ON k.id = i.credential
                    WHERE i.family = f.id)
                FROM oauth_family f
                WHERE f.owner = $1 AND f.principal = $2 AND f.ended IS NULL AND f.expires > $3
                ORDER BY f.id DESC LIMIT \(OAuthLimits.page)
                """, person.id, clock.now
            ).compactMap { row in
                guard let client = try findClient(row.text(1), in: tx) else { return nil }
                let id: FamilyID = try row.identifier(0)
                return ConnectedProgram(
                    id: id.text, name: client.name, scope: Scope(stored: try row.text(2)),
                    since: try row.timestamp(3),
                    lastUsed: try row.timestampIfAny(5), ends: try row.timestamp(4))
            }
        }
    }

    /// Ends what somebody once let a program do for them, with all its tokens.
    public func disconnect(_ text: String, by person: Principal) async throws {
        try await database.platform.write { tx in
            guard let id = FamilyID(text: text),
                try tx.scoped(to: person.tenant).row(
                    """
                    SELECT 1 FROM oauth_family WHERE owner = $1 AND id = $2 AND principal = $3 AND ended IS NULL
                    """, id, person.id) != nil
            else { throw Access.unknown("program") }
            try end(family: id, of: person.tenant, in: tx)
            try access.record(
                .accessEnded, person.tenant, by: person, "consent", id.text,
                details: ["principal": .string(person.id.text)], in: tx)
        }
    }
}
