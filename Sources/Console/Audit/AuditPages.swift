import Access
import Audit
import Base
import Bus
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import SignIn
import Storage
import Telemetry
import Trust

/// The pages about what was done.
extension PageTable {
    static func audit(_ console: ConsoleParts) -> [Page] {
        [
            Page("/audit", needs: .auditRead) { visit in try await .show(AuditListPage(console, visit)) },
            Page("/audit/{entry}", needs: .auditRead) { visit in try await .show(AuditEntryPage(console, visit)) },
            Page("/audit/sessions", needs: .auditRead) { visit in
                try await .show(AuditSessionsPage(console, visit))
            },
            Page("/audit/verification", needs: .auditRead) { visit in
                try await .show(VerificationPage(console, visit), live: "\(visit.home)/live")
            },
            Page(posting: "/audit/verification", needs: .auditRead) { visit in
                try await console.authorizeAudit(visit)
                try console.verifier.start(visit.tenant.id, reader: visit.principal.actor(in: visit.tenant.id))
                return .seeOther("\(visit.home)/audit/verification")
            },
            Page("/audit/entries.csv", needs: .auditExport) { visit in
                try await console.authorizeAudit(visit, .auditExport)
                return .answer(try await AuditFiles.list(console, visit))
            },
            Page("/audit/bundle", needs: .auditExport) { visit in
                try await console.authorizeAudit(visit, .auditExport)
                return .answer(AuditFiles.bundle(console, visit))
            },
        ]
    }
}

extension ConsoleParts {
    /// What the codes of the log mean.
    var auditWords: AuditWords { AuditWords(auditCodes) }

    /// Decides whether the visitor may read the log, or take it out; it is the whole tenant's, whatever domain it is
    /// about.
    func authorizeAudit(_ visit: TenantVisit, _ permission: Permission = .auditRead) async throws {
        let (access, principal, tenant) = (access, visit.principal, visit.tenant.id)
        try await database.tenant(tenant).read { try access.authorize(principal, permission, tenant: tenant, in: $0) }
    }
}

/// The log as files.
enum AuditFiles {
    /// The entries that an address selects as CSV, the newest first.
    static func list(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Answer {
        let filter = try await AuditSelection(visit.query).filter(console, visit)
        let (tenant, reader, words) = (
            visit.tenant.id, visit.principal.actor(in: visit.tenant.id), console.auditWords
        )
        return Answer.stream(Answer.csv) { writer in
            try await writer.write(
                CSVCell.line([
                    "place", "start", "end", "code", "meaning", "outcome", "kind", "creator", "creator id", "company",
                    "credential", "address", "subject kind", "subject", "subject id", "details",
                ]))
            try await console.audit.list(tenant: tenant, filter: filter, reader: reader) { entries in
                let names = try await AuditNames(entries, console, visit)
                var text = ""
                for entry in entries {
                    let (span, actor) = (AuditSpan(entry, names), entry.actor)
                    text += CSVCell.line([
                        String(entry.index), span.start.rfc3339, span.end?.rfc3339 ?? "", entry.code,
                        words.meaning(entry.code), entry.outcome.rawValue, actor.kind.rawValue, actor.name, actor.id,
                        names.company(actor), actor.credential ?? "", actor.address ?? "", entry.object.kind,
                        names.subject(entry.object), entry.object.id,
                        entry.details == [:] || entry.details == .null ? "" : entry.details.canonical,
                    ])
                }
                try await writer.write(text)
            }
        }.saved(as: "\(visit.tenant.slug)-audit.csv")
    }

    /// The whole log as a bundle that can be checked offline.
    static func bundle(_ console: ConsoleParts, _ visit: TenantVisit) -> Answer {
        let (tenant, reader) = (visit.tenant.id, visit.principal.actor(in: visit.tenant.id))
        return Answer.stream("application/x-ndjson") { writer in
            try await console.audit.export(tenant: tenant, reader: reader) { try await writer.write($0) }
        }.saved(as: "\(visit.tenant.slug).audit")
    }
}
