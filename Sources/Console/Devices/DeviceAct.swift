import Access
import Audit
import Base
import Bus
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import SignIn
import Storage
import Telemetry
import Trust

/// What a visitor may do with one device or with many.
enum DeviceAct: String, Sendable {
    case suspend, resume, revoke, delete, connect
    case move

    var verb: String {
        switch self {
        case .suspend: "Suspend"
        case .resume: "Resume"
        case .revoke: "Revoke"
        case .delete: "Delete"
        case .connect: "Make a token"
        case .move: "Move"
        }
    }

    var isDangerous: Bool { self == .revoke || self == .delete }

    /// What it does, in a sentence about one device or several.
    var effect: String {
        switch self {
        case .suspend: "Connections are closed and refused until somebody resumes. Credentials wait."
        case .resume: "May connect again with the same credentials."
        case .revoke: "Certificates and tokens end now and for good, and connections are closed. There is no way back."
        case .delete:
            "Credentials end, the name and the hardware identifiers are free again. Readings stay as long as the plan says."
        case .connect: "An earlier token that was not used counts no longer."
        case .move: "Who has access by the domain that they leave loses it, who has access to the new one gains it."
        }
    }

    private var done: Done {
        switch self {
        case .suspend: .suspended
        case .resume: .resumed
        case .revoke: .revoked
        case .delete: .deleted
        case .connect: .created
        case .move: .changed
        }
    }

    /// Does it to one device.
    func act(on device: String, _ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let (tenant, principal, fleet) = (visit.tenant.id, visit.principal, console.fleet)
        switch self {
        case .suspend: _ = try await fleet.suspend(device, in: tenant, by: principal)
        case .resume: _ = try await fleet.resume(device, in: tenant, by: principal)
        case .revoke: _ = try await fleet.revoke(device, in: tenant, by: principal)
        case .delete: try await fleet.delete(device, in: tenant, by: principal)
        case .connect, .move: break
        }
    }

    /// The answer to the buttons of a device's page; what can not be undone asks once more.
    static func run(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        guard let act = DeviceAct(rawValue: visit.form.exact("act")) else {
            throw Refusal(.invalid, "act.unknown", "There is no such action.")
        }
        let name = visit.path("device")
        let address = "\(visit.home)/devices/\(name.percentEncoded)"
        if act == .connect {
            let token = try await console.fleet.reissueEnrolmentToken(
                name, in: visit.tenant.id, by: visit.principal)
            let device = try await console.fleet.show(name, in: visit.tenant.id, by: visit.principal).device
            return try BlockPage.outcome(console, visit, device, token)
        }
        if act == .move { return .seeOther("\(visit.home)/sites/move?device=\(name.percentEncoded)") }
        if act.isDangerous, !visit.form.has("sure") {
            let device = try await console.fleet.show(name, in: visit.tenant.id, by: visit.principal).device
            return .show(
                ConfirmPage(
                    title: "\(act.verb) \(device.name)?", effect: act.effect, address: address + "/act",
                    act: act.rawValue, verb: act.verb, back: address))
        }
        try await act.act(on: name, console, visit)
        return .seeOther(act == .delete ? "\(visit.home)/devices" : address, done: act.done)
    }
}

/// Asks once more before something that can not be undone.
struct ConfirmPage: PageView {
    static let template = "confirm"
    static let menu: MenuItem? = .devices
    let title: String
    let effect: String
    let address: String
    let act: String
    let verb: String
    let back: String
    /// Set when it needs a reason.
    var reason: Reason?

    /// Why, for the audit log.
    struct Reason: Sendable {
        let typed: String
        let fault: String?
    }
}
