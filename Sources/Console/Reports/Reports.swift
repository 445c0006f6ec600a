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

/// The pages of reports, each for whoever may read reports and what this one is about; as page and as CSV.
extension PageTable {
    static func reports(_ console: ConsoleParts) -> [Page] {
        [
            Page("/reports", needs: .reportRead) { visit in
                // Who sees no device may still see who holds what.
                let open = try await console.openReports(to: visit)
                if let first = open.first, first != .failures { return .seeOther(visit.home + first.path) }
                return try await .show(FailuresReport(console, visit))
            },
            Page("/reports/failures.csv", needs: .reportRead) { visit in
                try await ReportKind.failures.file(console, visit)
            },
            Page("/reports/versions", needs: .reportRead) { visit in
                try await .show(VersionsReport(console, visit))
            },
            Page("/reports/versions.csv", needs: .reportRead) { visit in
                try await ReportKind.versions.file(console, visit)
            },
            Page("/reports/access", needs: .reportRead) { visit in try await .show(AccessReport(console, visit)) },
            Page("/reports/access.csv", needs: .reportRead) { visit in
                try await ReportKind.access.file(console, visit)
            },
            Page("/reports/mails", needs: .reportRead) { visit in
                try await .show(ReportMailsPage(console, visit))
            },
            Page(posting: "/reports/mails", needs: .reportRead) { visit in
                try await ReportMailsPage.run(console, visit)
            },
        ]
    }
}

/// The reports that a visitor may see, to change between them.
enum ReportTabs {
    static func of(
        _ shown: ReportKind, _ console: ConsoleParts, _ visit: TenantVisit
    ) async throws -> [DevicesPage.Chip] {
        try await console.openReports(to: visit).map { report in
            .init(label: report.title, address: visit.home + report.path, isOn: report == shown)
        }
    }
}
