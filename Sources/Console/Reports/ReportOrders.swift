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

/// Who gets which report by mail, and how often.
///
/// A report is made with the rights that its recipient holds at that moment, so nobody is mailed what they could not see
/// on the page.
struct ReportOrders: Sendable {
    let console: ConsoleParts

    /// The orders that the visitor may see: all for who may order for others, else their own.
    func list(_ visit: TenantVisit) async throws -> (orders: [ReportOrder], mayOrderForOthers: Bool) {
        let (access, principal, tenant) = (console.access, visit.principal, visit.tenant.id)
        return try await console.database.tenant(tenant).read { tx in
            let isFree = try access.visibleDomains(principal, .reportManage, tenant: tenant, in: tx) == .all
            let all = try tx.rows("SELECT \(ReportOrder.columns) FROM console_report WHERE tenant = $1 ORDER BY id")
                .map { try ReportOrder($0) }
            return (isFree ? all : all.filter { $0.recipient == principal.id }, isFree)
        }
    }

    /// Orders a report for the visitor, or for another account of the tenant by its address.
    func add(_ report: ReportKind, _ period: ReportPeriod, for address: String?, _ visit: TenantVisit) async throws {
        let (access, principal, tenant) = (console.access, visit.principal, visit.tenant.id)
        let now = console.clock.now
        try access.requireOwn(principal, of: tenant)
        let account = try await console.signIn.reportAccount(address, tenant: tenant, by: principal)
        try await console.database.tenant(tenant).write { tx -> Void in
            if account.principal != principal.id {
                try access.authorize(principal, .reportManage, tenant: tenant, in: tx)
            }
            guard try reader(account, of: tenant, may: report, in: tx) != nil else {
                throw Refusal(
                    .invalid, "report.recipient",
                    "\(account.address) may not see this report, or can not sign in, so it can not be mailed there.")
            }
            try tx.execute(
                "DELETE FROM console_report WHERE tenant = $1 AND recipient = $2 AND report = $3", account.principal,
                report.rawValue)
            let count = try tx.row("SELECT count(*) FROM console_report WHERE tenant = $1").map { try $0.int(0) } ?? 0
            guard count < ConsoleLimits.reportOrders else {
                throw Refusal(
                    .limited, "report.tooMany",
                    "An organisation has at most \(ConsoleLimits.reportOrders) reports by mail.")
            }
            try tx.execute(
                """
                INSERT INTO console_report (tenant, id, report, period, recipient, created, next, fault)
                VALUES ($1, $2, $3, $4, $5, $6, $7, '')
                """, Identifier<ReportOrderKind>(now: now), report.rawValue, period.rawValue, account.principal, now,
                period.next(after: now, in: visit.tenant.timeZone))
            try record(.reportOrdered, report, account.principal, ["period": .string(period.rawValue)], visit, in: tx)
        }
    }

    /// Ends an order: one's own, or anybody's for who may order for others.
    func remove(_ text: String, _ visit: TenantVisit) async throws {
        let (tenant, order) = (visit.tenant.id, try await find(text, visit))
        try await console.database.tenant(tenant).write { tx -> Void in
            guard try tx.execute("DELETE FROM console_report WHERE tenant = $1 AND id = $2", order.id) > 0 else {
                return
            }
            try record(.reportEnded, order.report, order.recipient, [:], visit, in: tx)
        }
    }

    /// The order of this identifier, for a visitor who may see it.
    func find(_ text: String, _ visit: TenantVisit) async throws -> ReportOrder {
        guard let order = try await list(visit).orders.first(where: { $0.id.text == text }) else {
            throw Refusal(.notFound, "report.unknown", "There is no such report by mail, or it is not for you.")
        }
        return order
    }

    /// Who reads a report that is mailed to this account; nil when they may not see it now, or can not sign in.
    func reader(
        _ account: Account, of tenant: TenantID, may report: ReportKind, in tx: Transaction
    ) throws -> Principal? {
        guard account.status == .active,
            let reader = try console.access.orderer(account.principal, of: tenant, in: tx),
            try report.isOpen(to: reader, in: tenant, console.access, tx)
        else { return nil }
        return reader
    }

    private func record(
        _ code: AuditCode, _ report: ReportKind, _ recipient: PrincipalID, _ details: [String: JSONValue],
        _ visit: TenantVisit, in tx: Transaction
    ) throws {
        try console.audit.record(
            AuditEntry(
                code, tenant: visit.tenant.id, actor: visit.principal.actor(in: visit.tenant.id),
                object: AuditObject(kind: "account", id: recipient.text),
                details: .object(details.merging(["report": .string(report.rawValue)]) { $1 })), in: tx)
    }
}

extension ConsoleParts {
    /// Reports by mail.
    var reportOrders: ReportOrders { ReportOrders(console: self) }
}
