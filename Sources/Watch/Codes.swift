public import Audit

extension AuditCode {
    /// Somebody takes care of an alert.
    public static let alertAcknowledged = AuditCode(
        "alert.acknowledged", "Somebody takes care of an alert; it is told to nobody else.")
    /// An alert is not told of for a time.
    public static let alertSilenced = AuditCode(
        "alert.silenced", "An alert was silenced for a time, or is silenced no more; details say until when.")
    /// An alert rule was created.
    public static let alertRuleCreated = AuditCode("alertRule.created", "A rule of who is told of alerts was created.")
    /// An alert rule was changed.
    public static let alertRuleChanged = AuditCode("alertRule.changed", "A rule of who is told of alerts was changed.")
    /// An alert rule was deleted.
    public static let alertRuleDeleted = AuditCode("alertRule.deleted", "A rule of who is told of alerts was deleted.")

    /// Every code that this part records.
    public static let watch: [AuditCode] = [
        alertAcknowledged, alertSilenced, alertRuleCreated, alertRuleChanged, alertRuleDeleted,
    ]
}
