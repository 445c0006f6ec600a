import Access
import Base
import Northbound
import Operations

/// What can be done to a campaign as a whole.
enum CampaignAct: String, CaseIterable, Sendable {
    case approve, pause, resume, stop
    case rollBack = "roll-back"

    var label: String {
        switch self {
        case .approve: "Approve"
        case .pause: "Pause"
        case .resume: "Resume"
        case .stop: "Stop"
        case .rollBack: "Roll back"
        }
    }

    var look: String {
        switch self {
        case .approve, .resume: "primary"
        case .pause: ""
        case .stop, .rollBack: "danger"
        }
    }

    /// What it takes; the campaign's devices are asked for one by one when it is done.
    var permission: Permission {
        switch self {
        case .approve: .taskInstall
        case .pause, .resume, .stop, .rollBack: .taskManage
        }
    }

    /// Whether it makes sense for a campaign as it stands.
    func isOffered(for campaign: Campaign, to visitor: PrincipalID) -> Bool {
        switch self {
        case .approve: campaign.state == .awaitingApproval && campaign.creator != visitor
        case .pause: campaign.state == .running || campaign.state == .scheduled
        case .resume: campaign.state == .paused
        case .stop: campaign.state.isLive && campaign.state != .preparing
        case .rollBack: campaign.started != nil && campaign.state != .rolledBack
        }
    }

    /// What it would do, told before it is done.
    private func effect(_ campaign: Campaign) -> String {
        let done = campaign.counts[.succeeded, default: 0].counted("device", "devices")
        return switch self {
        case .approve:
            "Its first group gets the release when its time comes. You answer for it with whoever ordered it."
        case .pause: "Nothing more is given out until somebody resumes it. What devices have begun goes on."
        case .resume:
            "It goes on, and what went wrong so far is not held against it any more. You answer for it from now on."
        case .stop:
            "No further group begins. What no device has begun ends at once; devices that have begun are asked to stop. "
                + "What is installed stays."
        case .rollBack:
            "What is open ends, and the \(done) that it has updated get the last release before it again, by a signed "
                + "grant to go back."
        }
    }

    /// The question before.
    func ask(_ console: ConsoleParts, _ visit: TenantVisit, fault: String? = nil) async throws -> Outcome {
        let campaign = try await console.campaign(visit)
        let here = "\(visit.home)/firmware/campaigns/\(campaign.id.text)"
        let page = FirmwareConfirmPage(
            title: "\(label): \(campaign.title)", effect: effect(campaign), fault: fault,
            address: "\(here)/\(rawValue)", verb: label, look: look == "danger" ? "primary danger" : "primary",
            back: here)
        return fault == nil ? .show(page) : .again(page)
    }

    func run(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let id = try await console.campaign(visit).id
        let (operations, tenant, principal) = (console.operations, visit.tenant.id, visit.principal)
        do {
            switch self {
            case .approve: _ = try await operations.approveCampaign(id, in: tenant, by: principal)
            case .pause: _ = try await operations.pauseCampaign(id, in: tenant, by: principal)
            case .resume: _ = try await operations.resumeCampaign(id, in: tenant, by: principal)
            case .stop: _ = try await operations.stopCampaign(id, in: tenant, by: principal)
            case .rollBack: _ = try await operations.rollBackCampaign(id, in: tenant, by: principal)
            }
        } catch let refusal as Refusal
            where [.conflict, .invalid].contains(refusal.kind)
            || refusal.code.hasPrefix("campaign.") && refusal.kind == .forbidden
        {
            return try await ask(console, visit, fault: refusal.message)
        }
        return .seeOther(
            "\(visit.home)/firmware/campaigns/\(id.text)", done: self == .approve ? .campaignApproved : .changed)
    }
}
