public import Audit

extension AuditCode {
    /// Somebody set up a factor.
    public static let factorEnrolled = AuditCode(
        "factor.enrolled", "Somebody set up a factor and confirmed it; it counts at sign-in from then on.")
    /// Somebody gave a factor of theirs another name.
    public static let factorRenamed = AuditCode("factor.renamed", "Somebody gave a factor of theirs another name.")
    /// Somebody removed a factor of theirs.
    public static let factorRemoved = AuditCode("factor.removed", "Somebody removed a factor of theirs.")
    /// A code or signature was wrong.
    public static let factorFailed = AuditCode(
        "factor.failed", "Somebody whose password was right, or whose session it was, gave a wrong code or signature.")
    /// Somebody proved themselves again within a session.
    public static let factorProved = AuditCode(
        "factor.proved", "Somebody proved themselves again, for an act that asks for it.")
    /// A recovery code was used.
    public static let recoveryCodeUsed = AuditCode("factor.recovery.used", "Somebody used a recovery code.")
    /// New recovery codes were made.
    public static let recoveryCodesMade = AuditCode(
        "factor.recovery.made", "Somebody made new recovery codes; the earlier ones ended.")
    /// An administrator took an account's factors away.
    public static let factorsReset = AuditCode(
        "factor.reset", "An administrator took all factors of an account away; details carry the reason.")
    /// A passkey's own count went backwards.
    public static let passkeyCopied = AuditCode(
        "factor.passkey.copied", "A passkey's count of signatures went backwards: it may exist twice. It was refused.")
    /// What factors are demanded was changed.
    public static let factorPolicyChanged = AuditCode(
        "factor.policy.changed", "What factors a tenant or a role demands was changed.")

    /// Every code that factors record.
    public static let factors: [AuditCode] = [
        factorEnrolled, factorRenamed, factorRemoved, factorFailed, factorProved, recoveryCodeUsed, recoveryCodesMade,
        factorsReset, passkeyCopied, factorPolicyChanged,
    ]
}
