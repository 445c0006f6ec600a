import Access
public import Audit
import Base
import Storage

/// Marks identifiers of orders of reports.
enum ReportOrderKind {}

/// A report that somebody gets by mail.
struct ReportOrder: Sendable {
    let id: Identifier<ReportOrderKind>
    let report: ReportKind
    let period: ReportPeriod
    /// Who gets it, and with whose rights it is made.
    let recipient: PrincipalID
    let next: Timestamp
    let sent: Timestamp?
    /// Why the last one was not sent; empty when it was.
    let fault: String

    static let columns = "id, report, period, recipient, next, sent, fault"

    /// The order in the columns of `row` from `first` on.
    init(_ row: Row, from first: Int = 0) throws {
        guard let report = ReportKind(rawValue: try row.text(first + 1)),
            let period = ReportPeriod(rawValue: try row.text(first + 2))
        else { throw StorageError(.corrupt, "an order of a report is not readable") }
        (self.report, self.period) = (report, period)
        id = try row.identifier(first)
        recipient = try row.identifier(first + 3)
        next = try row.timestamp(first + 4)
        sent = try row.timestampIfAny(first + 5)
        fault = try row.text(first + 6)
    }
}

extension AuditCode {
    /// Somebody is sent a report from now on.
    public static let reportOrdered = AuditCode("report.ordered", "A report is mailed to somebody from now on.")
    /// Somebody is sent a report no longer.
    public static let reportEnded = AuditCode("report.ended", "A report is mailed to somebody no longer.")
    /// A report was put into the queue of mails.
    public static let reportMailed = AuditCode("report.mailed", "A report was mailed, as its recipient may see it.")
    /// A report was not mailed.
    public static let reportWithheld = AuditCode("report.withheld", "A report was due and not mailed, for a reason.")

    /// Every code that this part records.
    public static let console: [AuditCode] = [reportOrdered, reportEnded, reportMailed, reportWithheld]
}
