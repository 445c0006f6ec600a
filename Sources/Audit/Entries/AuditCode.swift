/// A stable code for one sort of event, such as `device.registered`, with the sentence that explains it.
///
/// Each part lists its own codes in an extension of this type; a code never changes its meaning once released.
public struct AuditCode: Sendable, Hashable {
    /// The code: words of small letters, joined by dots, the first naming the part or object.
    public let text: String
    /// What happened when this code is recorded, in one sentence.
    public let meaning: String

    /// The code `text`, which stands for `meaning`.
    public init(_ text: String, _ meaning: String) {
        self.text = text
        self.meaning = meaning
    }

    /// Two codes are the same when their texts are.
    public static func == (left: AuditCode, right: AuditCode) -> Bool { left.text == right.text }

    /// Hashes the text only, as equality compares it.
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

extension AuditCode {
    /// Somebody read a page of the log.
    public static let auditRead = AuditCode("audit.read", "Somebody read a page of the audit log.")
    /// Somebody took a bundle of the log.
    public static let auditExported = AuditCode("audit.exported", "Somebody exported the audit log as a bundle.")
    /// A log was verified.
    public static let auditVerified = AuditCode(
        "audit.verified", "The audit log was held against its checkpoints; details say what was found.")
    /// Retention dropped the oldest bodies; the object names the first entry that is kept.
    public static let auditTrimmed = AuditCode(
        "audit.trimmed", "Retention dropped the oldest entries; the object names the first one kept.")
    /// A tenant's checkpoint was entered in the platform's tree.
    public static let auditAnchored = AuditCode(
        "audit.anchored", "A tenant's signed checkpoint was entered in the platform's log.")
    /// Callers without a valid credential were refused; one entry stands for many.
    public static let refused = AuditCode(
        "access.refused", "Callers without a valid credential were refused; details carry the reason and how often.")
    /// An authenticated caller was denied something.
    public static let denied = AuditCode(
        "access.denied", "An authenticated caller was denied something; details carry the permission and how often.")

    /// Every code that this part records.
    public static let audit: [AuditCode] = [
        auditRead, auditExported, auditVerified, auditTrimmed, auditAnchored, refused, denied,
    ]
}
