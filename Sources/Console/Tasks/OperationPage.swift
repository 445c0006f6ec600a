import Access
import Base
import Northbound
import Operations

/// An operation: how far it is, and its task for each device.
struct OperationPage: PageView {
    static let template = "operation"
    static let menu: MenuItem? = .tasks

    struct Row: Sendable {
        let device: String
        let deviceAddress: String
        let address: String
        let badge: Badge
        let attempt: String
        let changed: Moment
        let detail: String?
    }

    /// Something that can be done to it, told before it is done.
    struct Act: Sendable {
        let label: String
        let address: String
        let isDangerous: Bool
    }

    let title: String
    let summary: String
    let badge: Badge
    let created: Moment
    let starts: Moment?
    let parts: [OverviewPage.Part]
    let progress: String
    let isOpen: Bool
    let stats: [OverviewPage.Stat]
    /// What the devices' names are to have in them.
    let find: String
    /// The state that is shown, which looking for names keeps; nil for all.
    let shown: String?
    let rows: [Row]
    let hasRows: Bool
    let acts: [Act]
    let csv: String
    let list: String
    let address: String
    let next: String?
    let first: String?
}

extension OperationPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let id = try visit.operation
        let state = visit.query.text("state").flatMap { TaskState(name: $0) }
        let find = visit.query.text("find")
        let after = visit.query.text("after").flatMap { TaskID(text: $0) }
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        let (operation, _) = try await console.operations.operation(id, in: tenant, by: principal)
        let page = try await console.operations.tasks(
            .of(id), states: state.map { [$0] } ?? [], named: find, after: after, limit: ConsoleLimits.pageSize,
            in: tenant,
            by: principal)
        let (held, _) = try await console.reach(of: principal, in: visit.tenant)
        let here = "\(visit.home)/tasks/\(id.text)"
        func link(_ state: TaskState?, _ after: String? = nil) -> String {
            here.withQuery(["state": state?.name, "find": find, "after": after])
        }
        title = operation.title
        summary = "\(operation.type.label), ordered by \(operation.creatorName)"
        badge = operation.badge
        created = Moment(operation.created)
        starts = Moment(operation.terms.starts)
        parts = operation.meter
        progress = operation.progress
        isOpen = operation.state == .running || operation.state == .preparing
        stats =
            [
                OverviewPage.Stat(
                    label: "All", count: operation.total.grouped, shape: "off", note: "tasks", address: link(nil))
            ]
            + TaskState.allCases.filter { operation.counts[$0, default: 0] > 0 }.map { known in
                .init(
                    label: known.label, count: operation.counts[known, default: 0].grouped,
                    shape: known.badge.shape, note: known == state ? "shown" : "show", address: link(known))
            }
        rows = page.items.map { item in
            Row(
                device: item.device.text, deviceAddress: "\(visit.home)/devices/\(item.device)",
                address: "\(visit.home)/tasks/task/\(item.task.id.text)", badge: item.task.state.badge,
                attempt: item.task.attempt.grouped, changed: Moment(item.task.changed), detail: item.task.detail)
        }
        hasRows = !rows.isEmpty
        acts =
            held.contains(.taskManage)
            ? OperationAct.offered(for: operation).map {
                Act(label: $0.label, address: "\(here)/\($0.rawValue)", isDangerous: $0 == .cancel)
            } : []
        self.find = find ?? ""
        shown = state?.name
        csv = "\(here)/tasks.csv".withQuery(["state": state?.name, "find": find])
        list = "\(visit.home)/tasks"
        address = here
        next = page.next.map { link(state, $0) }
        first = after == nil ? nil : link(state)
    }

    /// Writes an operation's tasks as CSV.
    static func file(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let id = try visit.operation
        let states = visit.query.text("state").flatMap { TaskState(name: $0) }.map { Set([$0]) } ?? []
        let find = visit.query.text("find")
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        _ = try await console.operations.operation(id, in: tenant, by: principal)
        return .answer(
            Answer.stream(Answer.csv) { writer in
                try await writer.write(
                    CSVCell.line(["device", "id", "task", "state", "attempt", "created", "changed", "code", "detail"]))
                var after: TaskID?
                repeat {
                    let page = try await console.operations.tasks(
                        .of(id), states: states, named: find, after: after, limit: ConsoleLimits.writtenRows,
                        in: tenant, by: principal)
                    let lines = page.items.map { item in
                        CSVCell.line([
                            item.device.text, item.task.device.text, item.task.id.text, item.task.state.name,
                            String(item.task.attempt), item.task.created.rfc3339, item.task.changed.rfc3339,
                            item.task.code.map { String($0) } ?? "", item.task.detail ?? "",
                        ])
                    }
                    try await writer.write(lines.joined())
                    after = page.next.flatMap { TaskID(text: $0) }
                } while after != nil
            }.saved(as: "\(visit.tenant.slug)-tasks.csv"))
    }
}

extension TenantVisit {
    /// The operation in the path.
    var operation: OperationID {
        get throws {
            guard let id = OperationID(text: path("operation")) else {
                throw Refusal(
                    .notFound, "operation.unknown", "There is no such operation, or it is not for you.")
            }
            return id
        }
    }
}
