import Access
import Audit
import Base
import Bus
import Delivery
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import SignIn
import Storage
import Telemetry
import Trust

/// The reports that are mailed: one's own, or everybody's for who may order for others.
struct ReportMailsPage: PageView {
    static let template = "report-mails"
    static let menu: MenuItem? = .reports

    struct Row: Sendable {
        let id: String
        let report: String
        let period: String
        let who: String
        let next: Moment
        let sent: Moment?
        /// Why the last one was not sent.
        let failure: String?
    }

    let title = "Reports by mail"
    let list: String
    let address: String
    let canOrder: Bool
    let rows: [Row]
    let hasRows: Bool
    let isEmpty: Bool
    let reports: [DevicesPage.Choice]
    let periods: [DevicesPage.Choice]
    let mayOrderForOthers: Bool
    let recipient: String
    let fault: String?
    let leaves: Bool
    /// When all of them go.
    let when: String
}

extension ReportMailsPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit, fault: String? = nil) async throws {
        let tenant = visit.tenant.id
        let open = try await console.openReports(to: visit)
        let (orders, isFree) = try await console.reportOrders.list(visit)
        list = "\(visit.home)/reports"
        address = list + "/mails"
        var rows: [Row] = []
        for order in orders {
            let account = try await console.signIn.reportAccount(order.recipient, tenant: tenant)
            rows.append(
                Row(
                    id: order.id.text, report: order.report.title, period: order.period.words,
                    who: account?.address.text ?? "somebody who is gone", next: Moment(order.next),
                    sent: Moment(order.sent), failure: order.fault.isEmpty ? nil : order.fault))
        }
        self.rows = rows
        canOrder = !open.isEmpty && visit.principal.tenant == tenant
        hasRows = !rows.isEmpty
        isEmpty = rows.isEmpty
        reports = open.map {
            .init(value: $0.rawValue, label: $0.title, isOn: $0.rawValue == visit.form.text("report"))
        }
        periods = ReportPeriod.allCases.map {
            .init(value: $0.rawValue, label: $0.words, isOn: $0.rawValue == visit.form.text("period"))
        }
        mayOrderForOthers = isFree
        recipient = visit.form.text("recipient") ?? ""
        self.fault = fault
        when =
            visit.tenant.timeZone.map { "They go at \(ReportPeriod.hour) in the organisation's time zone, \($0)." }
            ?? "They go at \(ReportPeriod.hour) UTC, as the organisation has chosen no time zone."
        leaves = try await console.delivery.can(.mail, for: tenant)
    }

    /// The answer to the form and the buttons.
    static func run(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let (form, orders, back) = (visit.form, console.reportOrders, "\(visit.home)/reports/mails")
        do {
            switch form.exact("act") {
            case "add":
                guard let report = ReportKind(rawValue: form.exact("report")),
                    let period = ReportPeriod(rawValue: form.exact("period"))
                else { throw Refusal(.invalid, "report.order", "Choose a report, and how often.") }
                try await orders.add(report, period, for: form.text("recipient"), visit)
                return .seeOther(back, done: .saved)
            case "remove":
                try await orders.remove(form.exact("id"), visit)
                return .seeOther(back, done: .removed)
            case "send":
                let order = try await orders.find(form.exact("id"), visit)
                try await ReportMailing(console: console).sendNow(order, of: visit.tenant.id)
                return .seeOther(back, done: .reportSent)
            default: throw Refusal(.invalid, "act.unknown", "There is no such action.")
            }
        } catch let refusal as Refusal where [.invalid, .conflict, .limited].contains(refusal.kind) {
            return .again(try await ReportMailsPage(console, visit, fault: refusal.message))
        }
    }
}
