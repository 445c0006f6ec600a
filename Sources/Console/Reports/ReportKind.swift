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

/// A report that there is.
enum ReportKind: String, CaseIterable, Sendable {
    case failures, versions, access

    var title: String {
        switch self {
        case .failures: "Communication failures"
        case .versions: "Versions"
        case .access: "Access review"
        }
    }

    /// Whether times stand in it.
    var hasTimes: Bool { self != .versions }

    /// Its page within the tenant.
    var path: String { self == .failures ? "/reports" : "/reports/\(rawValue)" }

    /// Whether somebody may see it, or a part of it, now.
    func isOpen(to reader: Principal, in tenant: TenantID, _ access: Access, _ tx: Transaction) throws -> Bool {
        switch self {
        case .access: return try access.mayReview(reader, tenant: tenant, in: tx)
        case .failures, .versions:
            return try [Permission.reportRead, .deviceRead].allSatisfy {
                try access.visibleDevices(reader, $0, tenant: tenant, in: tx) != .some(domains: [], devices: [])
            }
        }
    }

    /// Writes it as CSV, as its reader may see it.
    func write(
        _ console: ConsoleParts, _ reader: ReportReader, _ write: (String) async throws -> Void
    ) async throws {
        switch self {
        case .failures: try await FailuresReport.write(console, reader, write)
        case .versions: try await VersionsReport.write(console, reader, write)
        case .access: try await AccessReport.write(console, reader, write)
        }
    }

    /// The answer with it as a file.
    func file(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        guard try await console.openReports(to: visit).contains(self) else {
            throw Refusal(.notFound, "not.found", "There is no such thing, or it is not for you.")
        }
        let reader = ReportReader(tenant: visit.tenant, principal: visit.principal, query: visit.query)
        // A domain that is not there is refused before the file begins.
        if self == .access, let domain = visit.query.text("domain") {
            _ = try await console.signIn.accessReview(domain: domain, tenant: reader.tenant.id, by: reader.principal)
        }
        return .answer(
            Answer.stream(Answer.csv) { writer in try await write(console, reader) { try await writer.write($0) } }
                .saved(as: "\(visit.tenant.slug)-\(rawValue).csv"))
    }
}

/// Whose eyes a report is made for.
struct ReportReader: Sendable {
    let tenant: Tenant
    let principal: Principal
    /// What of it is chosen.
    var query = FormFields()
    /// How its file says times.
    var times = FileTimes.exported
}

/// How times stand in a report's file.
struct FileTimes: Sendable {
    private let zone: TimeZoneName?
    /// The zone's name, for the head of a column.
    private let name: String?

    /// In UTC, as programs that read the file want it.
    static let exported = FileTimes(zone: nil, name: nil)

    /// As the organisation's clocks show them, with the zone's name: for people.
    static func local(_ zone: TimeZoneName?) -> FileTimes { FileTimes(zone: zone, name: zone?.text ?? "UTC") }

    /// The head of a column of times.
    func column(_ title: String) -> String { name.map { "\(title) (\($0))" } ?? title }

    /// A time, or nothing for none.
    func text(_ time: Timestamp?) -> String { time.map { zone?.rfc3339($0) ?? $0.rfc3339 } ?? "" }
}

extension ConsoleParts {
    /// The reports that a visitor may see.
    func openReports(to visit: TenantVisit) async throws -> [ReportKind] {
        let (access, principal, tenant) = (access, visit.principal, visit.tenant.id)
        return try await database.tenant(tenant).read { tx in
            try ReportKind.allCases.filter { try $0.isOpen(to: principal, in: tenant, access, tx) }
        }
    }
}
