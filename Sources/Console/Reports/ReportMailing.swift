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

/// The mailing of reports: what is due is found by its time, made with its recipient's rights, and put into the queue.
struct ReportMailing: Sendable {
    /// How a mailed report is made and why one is not.
    enum Made {
        case mail(OutboundMessage)
        case denied(String)
        case failed(String)
    }

    /// Ends the writing of a report of which a mail can not have more.
    private struct Full: Error {}

    let console: ConsoleParts

    /// Mails what is due, some at a time. One that fails is tried again later and holds nobody else up.
    func sendDue() async throws {
        let now = console.clock.now
        let due = try await console.database.platform.read { tx in
            try tx.acrossTenants.rows(
                """
                SELECT tenant, \(ReportOrder.columns) FROM console_report WHERE next <= $1 ORDER BY next
                LIMIT \(ConsoleLimits.reportsAtOnce)
                """, now
            ).map { (tenant: try $0.identifier(0, as: TenantID.self), order: try ReportOrder($0, from: 1)) }
        }
        var failure: (any Error)?
        for (tenant, order) in due where !Task.isCancelled {
            do {
                _ = try await send(order, of: tenant, next: order.period.next(after: now, in: zone(of: tenant)))
            } catch {
                failure = failure ?? error
                try await postpone(order, of: tenant, to: now + .seconds(ConsoleLimits.reportRetry))
            }
        }
        if let failure { throw failure }
    }

    private func zone(of tenant: TenantID) -> TimeZoneName? { console.access.directory.tenant(tenant)?.timeZone }

    /// Gives what waits its new times when a tenant's time zone is changed; what is due already is mailed as it is.
    static func followZones(_ access: Access, _ clock: WallClock) {
        access.zoneChanges.add { tenant, tx in
            let (scoped, now) = (tx.scoped(to: tenant.id), clock.now)
            let waiting = try scoped.rows(
                "SELECT \(ReportOrder.columns) FROM console_report WHERE tenant = $1 AND next > $2", now
            ).map { try ReportOrder($0) }
            for order in waiting {
                try scoped.execute(
                    "UPDATE console_report SET next = $3 WHERE tenant = $1 AND id = $2", order.id,
                    order.period.next(after: now, in: tenant.timeZone))
            }
        }
    }

    /// Mails an ordered report at once, beside its time.
    func sendNow(_ order: ReportOrder, of tenant: TenantID) async throws {
        if let fault = try await send(order, of: tenant, next: order.next) {
            throw Refusal(.conflict, "report.notSent", fault)
        }
    }

    /// Puts a report into the queue of mails and notes its next time in one transaction; why not, when it can not be.
    private func send(_ order: ReportOrder, of tenant: TenantID, next: Timestamp) async throws -> String? {
        let made = try await make(order, of: tenant)
        let (now, delivery, audit) = (console.clock.now, console.delivery, console.audit)
        return try await console.database.tenant(tenant).write { tx -> String? in
            let (message, fault, outcome): (OutboundMessage?, String?, AuditEntry.Outcome) =
                switch made {
                case .mail(let message): (message, nil, .success)
                case .denied(let reason): (nil, reason, .denied)
                case .failed(let reason): (nil, reason, .failed)
                }
            // An order that was ended or mailed meanwhile is mailed no more.
            guard
                try tx.execute(
                    """
                    UPDATE console_report SET next = $3, sent = CASE WHEN $4 = '' THEN $5 ELSE sent END, fault = $4
                    WHERE tenant = $1 AND id = $2 AND next = $6
                    """, order.id, next, fault ?? "", now, order.next) > 0
            else { return fault }
            if let message { try delivery.send(message, tenant: tenant, in: tx) }
            var details: [String: JSONValue] = ["report": .string(order.report.rawValue)]
            if let fault { details["reason"] = .string(fault) }
            try audit.record(
                AuditEntry(
                    fault == nil ? .reportMailed : .reportWithheld, tenant: tenant, actor: .system("reports"),
                    object: AuditObject(kind: "account", id: order.recipient.text),
                    outcome: outcome, details: .object(details)), in: tx)
            return fault
        }
    }

    private func postpone(_ order: ReportOrder, of tenant: TenantID, to next: Timestamp) async throws {
        try await console.database.tenant(tenant).write { tx -> Void in
            try tx.execute(
                "UPDATE console_report SET next = $3, fault = $4 WHERE tenant = $1 AND id = $2 AND next = $5", order.id,
                next, "It could not be made, and is tried again soon.", order.next)
        }
    }

    /// Makes the mail as its recipient may see the report at this moment.
    func make(_ order: ReportOrder, of tenant: TenantID) async throws -> Made {
        let (report, orders) = (order.report, console.reportOrders)
        guard let place = console.access.directory.tenant(tenant),
            let account = try await console.signIn.reportAccount(order.recipient, tenant: tenant),
            let reader = try await console.database.tenant(tenant).read({ tx in
                try orders.reader(account, of: tenant, may: report, in: tx)
            })
        else { return .denied("The recipient may not see this report any more.") }
        guard try await console.delivery.can(.mail, for: tenant) else {
            return .failed("There is no mail server and no outlet for mail.")
        }
        var (bytes, lines, isWhole): ([UInt8], Int, Bool) = ([], 0, true)
        do {
            try await report.write(
                console, ReportReader(tenant: place, principal: reader, times: .local(place.timeZone))
            ) { text in
                guard bytes.count + text.utf8.count <= ConsoleLimits.mailedReportBytes else { throw Full() }
                bytes += Array(text.utf8)
                lines += text.utf8.count { $0 == 0x0A }
            }
        } catch is Full {
            isWhole = false
        } catch let refusal as Refusal {
            return .denied(refusal.message)
        }
        let zone = place.timeZone?.text ?? "UTC"
        let home = "\(console.signIn.peoplePlace)/t/\(place.slug)"
        let text = """
            \(report.title) of \(place.name): \(max(lines - 1, 0).grouped) \(lines == 2 ? "line" : "lines"), in the file.
            \(report.hasTimes ? "Its times are in the time zone \(zone).\n" : "")\(isWhole ? "" : "It is longer than a mail should be: the file ends early. The page has all of it.\n")
            On the page: \(home)\(report.path)

            You get this \(order.period.words) at \(ReportPeriod.hour) (\(zone)), as you may see it yourself. To end it: \(home)/reports/mails

            """
        // Tomorrow's rights may be others: what can not leave by then is made anew when it is due again.
        return .mail(
            .mail(
                to: account.address.text, subject: "\(report.title) of \(place.name)", text: text,
                attachments: [
                    .init(name: "\(place.slug)-\(report.rawValue).csv", mediaType: "text/csv", bytes: bytes)
                ], isConfidential: true, expires: console.clock.now + .seconds(ConsoleLimits.reportLife)))
    }
}

extension ConsoleParts {
    /// Mails the reports that are due.
    public func sendDueReports() async throws { try await ReportMailing(console: self).sendDue() }
}
