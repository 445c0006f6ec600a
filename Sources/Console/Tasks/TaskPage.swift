import Access
import Base
import Northbound
import Operations

/// A device's task, with all that was said of it.
struct TaskPage: PageView {
    static let template = "task"
    static let menu: MenuItem? = .tasks

    struct Said: Sendable {
        let time: Moment
        let word: String
        let code: String?
        let details: [String]
    }

    let title: String
    let badge: Badge
    let device: String
    let deviceAddress: String
    let attempt: String
    let number: String
    let created: Moment
    let due: Moment?
    let history: [Said]
    /// Where it is ended; nil when it is over, or for who may not.
    let cancel: String?
    let operation: String
    let list: String
}

extension TaskPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        guard let id = TaskID(text: visit.path("task")) else {
            throw Refusal(.notFound, "task.unknown", "There is no such task, or it is not for you.")
        }
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        let (found, said) = try await console.operations.task(id, in: tenant, by: principal)
        let (held, _) = try await console.reach(of: principal, in: visit.tenant)
        let task = found.task
        title = "\(task.type.label): \(found.device)"
        badge = task.state.badge
        device = found.device.text
        deviceAddress = "\(visit.home)/devices/\(found.device)"
        attempt = task.attempt.grouped
        number = "\(task.number)"
        created = Moment(task.created)
        due = task.state.isOpen && task.due.microseconds < .max ? Moment(task.due) : nil
        history = said.map { status in
            Said(
                time: Moment(status.time), word: TaskState(name: status.word)?.label ?? status.word,
                code: status.code.map { "\($0)" }, details: status.details)
        }
        cancel = task.state.isOpen && held.contains(.taskManage) ? "\(visit.home)/tasks/task/\(id.text)/cancel" : nil
        operation = "\(visit.home)/tasks/\(task.operation.text)"
        list = "\(visit.home)/tasks"
    }

    /// Ends the task in the path.
    static func cancel(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        guard let id = TaskID(text: visit.path("task")) else {
            throw Refusal(.notFound, "task.unknown", "There is no such task, or it is not for you.")
        }
        _ = try await console.operations.cancel(task: id, force: false, in: visit.tenant.id, by: visit.principal)
        return .seeOther("\(visit.home)/tasks/task/\(id.text)", done: .ended)
    }
}
