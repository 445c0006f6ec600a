public import Access
public import Audit
public import Base
package import Storage

/// How a session ended, or that it has not.
public enum SessionEnd: Sendable, Hashable {
    /// It counts still.
    case live
    /// Its holder signed out.
    case signedOut(Timestamp)
    /// Somebody else ended it, or the server did, as after a change of password.
    case endedBy(Actor, Timestamp)
    /// It ended when another sign-in took its place.
    case replaced(Timestamp)
    /// It ended by itself, unused or at its longest; when is known for a time only.
    case lapsed(Timestamp?)

    /// When it ended, as far as is known.
    public var time: Timestamp? {
        switch self {
        case .live: nil
        case .signedOut(let time), .endedBy(_, let time), .replaced(let time): time
        case .lapsed(let time): time
        }
    }
}

/// A sign-in as those see it who examine a tenant.
public struct ReviewedSession: Sendable, Hashable {
    /// The entry that tells of the sign-in.
    public let entry: RecordedEntry
    /// How it ended.
    public let end: SessionEnd
}

/// A stretch of a tenant's sign-ins, the newest first.
public struct ReviewedSessions: Sendable, Hashable {
    /// The sign-ins.
    public let sessions: [ReviewedSession]
    /// Where the next page begins, or nil at the end.
    public let next: String?
}

extension SignIn {
    /// The sign-ins of a tenant, or of one principal of it, as long as its audit log tells of them.
    public func reviewedSessions(
        of person: String? = nil, tenant: TenantID, after cursor: String? = nil, limit: Int, by principal: Principal
    ) async throws -> ReviewedSessions {
        try await database.tenant(tenant).read { try access.authorize(principal, .auditRead, tenant: tenant, in: $0) }
        let page = try await audit.page(
            tenant: tenant, filter: AuditFilter(codePrefix: AuditCode.sessionOpened.text, actor: person),
            after: cursor, limit: limit, reader: principal.actor(in: tenant))
        let ends = try await database.tenant(tenant).read { tx in
            try sessionEnds(of: page.entries.map(\.object.id), tenant: tenant, in: tx)
        }
        return ReviewedSessions(
            sessions: page.entries.map { ReviewedSession(entry: $0, end: ends[$0.object.id] ?? .lapsed(nil)) },
            next: page.next)
    }

    /// How sessions of a tenant ended, for a caller who may read its log.
    package func sessionEnds(
        of sessions: [String], tenant: TenantID, in tx: Transaction
    ) throws -> [String: SessionEnd] {
        let told = try audit.newest(.sessionEnded, about: sessions, kind: "session", in: tx)
        let now = clock.now
        var ends: [String: SessionEnd] = [:]
        for session in Set(sessions) {
            if let entry = told[session] {
                let isOwn = entry.actor.credential == session
                ends[session] = isOwn ? .signedOut(entry.time) : .endedBy(entry.actor, entry.time)
            } else if let info = try CredentialID(text: session).flatMap({
                try access.credential($0, of: tenant, in: tx)
            }) {
                ends[session] =
                    info.isLive(at: now) ? .live : info.revoked.map { .replaced($0) } ?? .lapsed(info.ends)
            } else {
                ends[session] = .lapsed(nil)
            }
        }
        return ends
    }
}
