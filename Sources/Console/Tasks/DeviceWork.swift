import Access
import Base
import Fleet
import Operations

/// A device's open tasks and the last ones that are over, as its page shows them.
struct DeviceWork: Sendable {
    struct Line: Sendable {
        let words: String
        let taskAddress: String
        let badge: Badge
        let time: Moment
    }

    let tasks: [Line]
    let hasTasks: Bool
    /// Where the device is given a task; nil for who may give it none.
    let orderAddress: String?
}

extension DeviceWork {
    init(_ console: ConsoleParts, _ visit: TenantVisit, _ device: Device, _ held: Set<Permission>) async throws {
        func newest(_ isOpen: Bool, _ limit: Int) async throws -> [NamedTask] {
            try await console.operations.tasks(
                .device(device.id.text), states: Set(TaskState.allCases.filter { $0.isOpen == isOpen }), limit: limit,
                in: visit.tenant.id, by: visit.principal
            ).items
        }
        let open = try await newest(true, 8)
        tasks = (open + (try await newest(false, 5))).map { item in
            Line(
                words: item.task.type.label, taskAddress: "\(visit.home)/tasks/task/\(item.task.id.text)",
                badge: item.task.state.badge, time: Moment(item.task.changed))
        }
        hasTasks = !tasks.isEmpty
        let filter = "name = \"\(device.name)\"".percentEncoded
        orderAddress =
            TaskType.allCases.contains { held.contains($0.permission) }
            ? "\(visit.home)/tasks/new?filter=\(filter)" : nil
    }
}
