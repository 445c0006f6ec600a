public import Audit

extension AuditCode {
    /// A tenant was created.
    public static let tenantCreated = AuditCode("tenant.created", "A tenant was created.")
    /// A tenant's name or plan was changed.
    public static let tenantChanged = AuditCode("tenant.changed", "A tenant's name or plan was changed.")
    /// A tenant was suspended: its devices and principals are refused.
    public static let tenantSuspended = AuditCode("tenant.suspended", "A tenant was suspended.")
    /// A suspended tenant works again.
    public static let tenantResumed = AuditCode("tenant.resumed", "A suspended tenant was resumed.")
    /// A tenant's keys were destroyed and its rows are being removed.
    public static let tenantDeleted = AuditCode(
        "tenant.deleted", "The removal of a tenant began; nobody of it is let in from now on.")
    /// A plan was created or changed.
    public static let planChanged = AuditCode("plan.changed", "A plan was created or changed.")
    /// A domain was created.
    public static let domainCreated = AuditCode("domain.created", "A domain was created.")
    /// A domain was renamed or moved.
    public static let domainChanged = AuditCode("domain.changed", "A domain was renamed or moved.")
    /// A domain was deleted.
    public static let domainDeleted = AuditCode("domain.deleted", "A domain was deleted.")
    /// A principal was created.
    public static let principalCreated = AuditCode("principal.created", "A principal was created.")
    /// A principal was disabled: its tokens are refused.
    public static let principalDisabled = AuditCode("principal.disabled", "A principal was disabled.")
    /// A disabled principal was enabled.
    public static let principalEnabled = AuditCode("principal.enabled", "A disabled principal was enabled.")
    /// A custom role was created or changed.
    public static let roleChanged = AuditCode("role.changed", "A custom role was created or changed.")
    /// A custom role was deleted with all its grants.
    public static let roleDeleted = AuditCode("role.deleted", "A custom role was deleted.")
    /// A role was granted.
    public static let granted = AuditCode("grant.created", "A role was granted to a principal.")
    /// A grant was ended.
    public static let grantEnded = AuditCode("grant.ended", "A grant was ended.")
    /// A user group was created.
    public static let groupCreated = AuditCode("group.created", "A user group was created.")
    /// A user group was given another name.
    public static let groupRenamed = AuditCode("group.renamed", "A user group was given another name.")
    /// A user group was deleted with its grants.
    public static let groupDeleted = AuditCode("group.deleted", "A user group was deleted with its grants.")
    /// A user was put into a group.
    public static let memberAdded = AuditCode("group.memberAdded", "A user was put into a group.")
    /// A user was taken out of a group.
    public static let memberRemoved = AuditCode("group.memberRemoved", "A user was taken out of a group.")
    /// A device or domain was moved in the tree.
    public static let moved = AuditCode("move.made", "A device or domain was moved in the tree.")
    /// A move was undone.
    public static let moveUndone = AuditCode("move.undone", "A move of a device or domain was undone.")
    /// A grant's making or end was undone.
    public static let grantChangeUndone = AuditCode(
        "grant.undone", "The making or the end of a grant was undone; entries beside it say by what.")
    /// A change was proposed that needs a second approver.
    public static let changeProposed = AuditCode(
        "change.proposed", "A change was proposed that needs a second approver.")
    /// A proposed change was approved and made.
    public static let changeApproved = AuditCode("change.approved", "A proposed change was approved, and made.")
    /// A proposed change was rejected.
    public static let changeRejected = AuditCode("change.rejected", "A proposed change was rejected.")
    /// A proposed change was withdrawn by its proposer.
    public static let changeWithdrawn = AuditCode("change.withdrawn", "A proposed change was withdrawn.")
    /// Nobody decided about a proposed change in time.
    public static let changeExpired = AuditCode("change.expired", "Nobody decided about a proposed change in time.")
    /// It was decided whether changes of security need a second approver.
    public static let approvalPolicyChanged = AuditCode(
        "approval.policyChanged", "It was decided whether changes of security settings need a second approver.")
    /// Somebody of the platform did something in a tenant that lent them rights.
    public static let staffActed = AuditCode(
        "staff.acted", "Somebody of the platform's staff used the API in this tenant, by a share.")
    /// A token was created.
    public static let tokenCreated = AuditCode("token.created", "A bearer token was created.")
    /// A token was revoked.
    public static let tokenRevoked = AuditCode("token.revoked", "A bearer token was revoked.")
    /// A share was offered to another tenant.
    public static let shareOffered = AuditCode("share.offered", "A share was offered to another tenant.")
    /// A share was accepted.
    public static let shareAccepted = AuditCode("share.accepted", "A share was accepted by its grantee.")
    /// A share was declined.
    public static let shareDeclined = AuditCode("share.declined", "A share was declined by its grantee.")
    /// A share was ended by one of its two sides.
    public static let shareEnded = AuditCode("share.ended", "A share was ended by one of its two sides.")
    /// A share reached its end.
    public static let shareExpired = AuditCode("share.expired", "A share reached its ending date.")
    /// A tenant's keys were destroyed.
    public static let tenantShredded = AuditCode(
        "tenant.shredded", "A deleted tenant's keys were destroyed, so that nothing sealed for it can be opened again.")

    /// The demonstration was begun, and shared with the tenant.
    public static let demoBegun = AuditCode("demo.begun", "The demo fleet was begun, and shared with the tenant.")
    /// The demonstration was removed.
    public static let demoRemoved = AuditCode("demo.removed", "The demo fleet was removed.")
    /// Every code that this part records.
    public static let access: [AuditCode] = [
        demoBegun, demoRemoved,
        tenantCreated, tenantChanged, tenantSuspended, tenantResumed, tenantDeleted, planChanged, domainCreated,
        domainChanged, domainDeleted, principalCreated, principalDisabled, principalEnabled, roleChanged, roleDeleted,
        granted, grantEnded, groupCreated, groupRenamed, groupDeleted, memberAdded, memberRemoved, moved, moveUndone,
        grantChangeUndone,
        changeProposed, changeApproved, changeRejected, changeWithdrawn, changeExpired, approvalPolicyChanged,
        staffActed, tokenCreated, tokenRevoked, shareOffered, shareAccepted, shareDeclined, shareEnded,
        shareExpired, tenantShredded,
    ]
}
