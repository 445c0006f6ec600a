import Access
import Base
import Northbound
import Operations

/// The operations of a tenant, the newest first.
struct OperationsPage: PageView {
    static let template = "operations"
    static let menu: MenuItem? = .tasks

    struct Row: Sendable {
        let title: String
        let address: String
        let type: String
        let badge: Badge
        let progress: String
        let parts: [OverviewPage.Part]
        let creator: String
        let created: Moment
    }

    let title = "Tasks"
    let states: [DevicesPage.Chip]
    let rows: [Row]
    let hasRows: Bool
    let isEmpty: Bool
    let isNothingFound: Bool
    /// Where a new operation is ordered; nil for who may order none.
    let order: String?
    let address: String
    let next: String?
    let first: String?
}

extension OperationsPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let address = "\(visit.home)/tasks"
        let state = visit.query.text("state").flatMap { Operation.State(rawValue: $0) }
        let after = visit.query.text("after").flatMap { OperationID(text: $0) }
        let page = try await console.operations.operations(
            state: state, after: after, limit: ConsoleLimits.pageSize, in: visit.tenant.id, by: visit.principal)
        let (held, _) = try await console.reach(of: visit.principal, in: visit.tenant)
        func link(_ state: Operation.State?, _ after: String? = nil) -> String {
            address.withQuery(["state": state?.rawValue, "after": after])
        }
        self.address = address
        states = [
            (nil as Operation.State?, "All"), (.running, "Under way"), (.paused, "Paused"), (.finished, "Finished"),
        ]
        .map { .init(label: $1, address: link($0), isOn: $0 == state) }
        rows = page.items.map { operation in
            Row(
                title: operation.title, address: "\(address)/\(operation.id.text)", type: operation.type.label,
                badge: operation.badge, progress: operation.progress, parts: operation.meter,
                creator: operation.creatorName, created: Moment(operation.created))
        }
        hasRows = !rows.isEmpty
        isEmpty = rows.isEmpty && state == nil && after == nil
        isNothingFound = rows.isEmpty && !isEmpty
        order = TaskType.allCases.contains { held.contains($0.permission) } ? address + "/new" : nil
        next = page.next.map { link(state, $0) }
        first = after == nil ? nil : link(state)
    }
}
