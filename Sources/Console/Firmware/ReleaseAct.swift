import Access
import Base
import Bus
import Northbound
import Operations

/// What can be done to a release as a whole.
enum ReleaseAct: String, CaseIterable, Sendable {
    case publish, withdraw, delete

    var label: String {
        switch self {
        case .publish: "Publish"
        case .withdraw: "Withdraw"
        case .delete: "Delete"
        }
    }

    /// What it would do, told before it is done.
    private func effect(_ release: Release) -> String {
        switch self {
        case .publish:
            "From now on it can be installed, and it never changes. No device gets it before somebody orders it."
        case .withdraw:
            "Nobody can order it any more. Devices that have it keep it, and what is under way goes on until it is ended."
        case .delete: "It is gone, with its notes. Its files stay among the files."
        }
    }

    /// What makes sense for a release as it stands.
    static func offered(for release: Release, _ here: String) -> [ReleasePage.Act] {
        let acts: [ReleaseAct] =
            switch release.state {
            case .draft: [.publish, .delete]
            case .published: [.withdraw]
            case .withdrawn: [.delete]
            }
        let edit = ReleasePage.Act(label: "Edit", address: "\(here)/edit", look: "")
        return (release.state == .draft ? [edit] : [])
            + acts.map { act in
                .init(
                    label: "\(act.label)…", address: "\(here)/\(act.rawValue)",
                    look: act == .publish ? "primary" : "danger")
            }
    }

    /// The question before.
    func ask(_ console: ConsoleParts, _ visit: TenantVisit, fault: String? = nil) async throws -> Outcome {
        let release = try await console.release(visit)
        let here = "\(visit.home)/firmware/releases/\(release.id.text)"
        let page = FirmwareConfirmPage(
            title: "\(label) \(release.component) \(release.version)?", effect: effect(release), fault: fault,
            address: "\(here)/\(rawValue)", verb: label, look: self == .publish ? "primary" : "primary danger",
            back: here)
        return fault == nil ? .show(page) : .again(page)
    }

    func run(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let release = try await console.release(visit)
        let (operations, tenant, principal) = (console.operations, visit.tenant.id, visit.principal)
        let list = "\(visit.home)/firmware/releases"
        do {
            switch self {
            case .publish: _ = try await operations.publishRelease(release.id, in: tenant, by: principal)
            case .withdraw: _ = try await operations.withdrawRelease(release.id, in: tenant, by: principal)
            case .delete: try await operations.deleteRelease(release.id, in: tenant, by: principal)
            }
        } catch let refusal as Refusal where refusal.kind == .conflict {
            return try await ask(console, visit, fault: refusal.message)
        }
        console.tellOfFirmware(visit)
        switch self {
        case .publish: return .seeOther("\(list)/\(release.id.text)", done: .published)
        case .withdraw: return .seeOther("\(list)/\(release.id.text)", done: .withdrawn)
        case .delete: return .seeOther(list, done: .deleted)
        }
    }
}

/// The question before something is done to firmware, with what stands in the way of it.
struct FirmwareConfirmPage: PageView {
    static let template = "firmware-confirm"
    static let menu: MenuItem? = .firmware

    let title: String
    let effect: String
    var fault: String?
    let address: String
    let verb: String
    let look: String
    let back: String
}

extension ConsoleParts {
    /// Lets open pages about firmware ask for what they show anew.
    func tellOfFirmware(_ visit: TenantVisit) {
        bus.publish(TopicChanged(tenant: visit.tenant.id, topic: "firmware"))
    }
}
