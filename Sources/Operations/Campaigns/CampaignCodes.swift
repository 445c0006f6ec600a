public import Audit

extension AuditCode {
    /// A campaign was ordered.
    public static let campaignOrdered = AuditCode(
        "campaign.ordered", "A staged roll-out of a release was ordered; details say what and for how many devices.")
    /// Another person approved a campaign.
    public static let campaignApproved = AuditCode(
        "campaign.approved", "Another person approved a campaign, which may begin from then on.")
    /// A campaign was paused.
    public static let campaignPaused = AuditCode(
        "campaign.paused", "A campaign gives out nothing more; details say why, and for which group.")
    /// A paused campaign goes on.
    public static let campaignResumed = AuditCode("campaign.resumed", "A paused campaign goes on.")
    /// A campaign was ended before its end.
    public static let campaignStopped = AuditCode("campaign.stopped", "What was still open of a campaign was ended.")
    /// A campaign was taken back.
    public static let campaignRolledBack = AuditCode(
        "campaign.rolledBack", "Devices that a campaign updated get the former release again; details say which.")
    /// A campaign is over.
    public static let campaignFinished = AuditCode("campaign.finished", "Every group of a campaign is through.")
    /// Whether campaigns need a second person was decided.
    public static let campaignPolicyChanged = AuditCode(
        "campaign.policyChanged",
        "It was decided whether another person must approve campaigns; details say so and why.")

    /// Every code that is recorded of campaigns.
    static let campaigns: [AuditCode] = [
        campaignOrdered, campaignApproved, campaignPaused, campaignResumed, campaignStopped, campaignRolledBack,
        campaignFinished, campaignPolicyChanged,
    ]
}
