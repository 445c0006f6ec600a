public import Audit

extension AuditCode {
    /// An outlet was created.
    public static let outletCreated = AuditCode("outlet.created", "An outlet for deliveries was created.")
    /// An outlet's settings or secret were changed.
    public static let outletChanged = AuditCode("outlet.changed", "An outlet's settings or secret were changed.")
    /// An outlet was deleted.
    public static let outletDeleted = AuditCode("outlet.deleted", "An outlet was deleted.")
    /// A person tried an outlet.
    public static let outletTested = AuditCode("outlet.tested", "A person sent a test through an outlet.")
    /// Deliveries were put into the queue again by a person.
    public static let deliveryReplayed = AuditCode("delivery.replayed", "Deliveries were put into the queue again.")
    /// A delivery was given up by a person.
    public static let deliveryDiscarded = AuditCode("delivery.discarded", "A delivery was given up by a person.")
    /// A delivery has failed for good.
    public static let deliveryDead = AuditCode("delivery.dead", "A delivery failed for good and is a dead letter.")
    /// Deliveries have waited too long.
    public static let deliveryOverdue = AuditCode(
        "delivery.overdue", "Deliveries waited too long and are dead letters; details say how many.")
    /// A person read what a delivery says.
    public static let deliveryRead = AuditCode("delivery.read", "A person read what a delivery says.")
    /// Retention took audit entries that a stream had not sent.
    public static let streamSkipped = AuditCode(
        "outlet.skipped", "Retention dropped audit entries before an outlet had sent them; details say which.")

    /// Every code that this part records.
    public static let delivery: [AuditCode] = [
        outletCreated, outletChanged, outletDeleted, outletTested, deliveryReplayed, deliveryDiscarded, deliveryDead,
        deliveryOverdue, deliveryRead, streamSkipped,
    ]
}
