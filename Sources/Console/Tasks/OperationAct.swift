import Access
import Base
import Northbound
import Operations

/// What can be done to an operation as a whole.
enum OperationAct: String, CaseIterable, Sendable {
    case pause, resume, retry, cancel

    var label: String {
        switch self {
        case .pause: "Pause"
        case .resume: "Resume"
        case .retry: "Retry what failed"
        case .cancel: "End it"
        }
    }

    /// What it would do, told before it is done.
    var effect: String {
        switch self {
        case .pause: "Nothing more is given out until you resume it. What devices have begun goes on."
        case .resume: "Devices get their tasks again when they call."
        case .retry: "Failed, timed-out, refused and expired tasks are tried again, those alone."
        case .cancel: "What no device has begun ends at once; devices that have begun are asked to stop."
        }
    }

    /// What makes sense for an operation as it stands.
    static func offered(for operation: Operation) -> [OperationAct] {
        let hasFailures = operation.counts.contains { $0.key.isFailure && $0.value > 0 }
        switch operation.state {
        case .preparing: return []
        case .running: return [.pause] + (hasFailures ? [.retry] : []) + [.cancel]
        case .paused: return [.resume, .cancel]
        case .finished, .cancelled: return hasFailures ? [.retry] : []
        }
    }

    /// The question before.
    func ask(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let (operation, _) = try await console.operations.operation(
            visit.operation, in: visit.tenant.id, by: visit.principal)
        let here = "\(visit.home)/tasks/\(operation.id.text)"
        return .show(
            OperationConfirmPage(
                title: "\(label): \(operation.title)", effect: effect, address: "\(here)/\(rawValue)",
                act: rawValue, verb: label, back: here))
    }

    func run(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let (id, tenant, principal) = (try visit.operation, visit.tenant.id, visit.principal)
        switch self {
        case .pause: _ = try await console.operations.setPaused(true, id, in: tenant, by: principal)
        case .resume: _ = try await console.operations.setPaused(false, id, in: tenant, by: principal)
        case .retry: _ = try await console.operations.retry(id, in: tenant, by: principal)
        case .cancel: _ = try await console.operations.cancel(id, force: false, in: tenant, by: principal)
        }
        return .seeOther("\(visit.home)/tasks/\(id.text)", done: .changed)
    }
}

/// The question before something is done to an operation.
struct OperationConfirmPage: PageView {
    static let template = "confirm"
    static let menu: MenuItem? = .tasks

    let title: String
    let effect: String
    let address: String
    let act: String
    let verb: String
    let back: String
    /// Nobody is asked why.
    var reason: ConfirmPage.Reason?
}
