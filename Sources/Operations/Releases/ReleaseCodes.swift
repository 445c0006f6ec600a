public import Audit

extension AuditCode {
    /// An artifact came whole and was taken.
    public static let artifactUploaded = AuditCode(
        "artifact.uploaded", "An artifact was taken; details say its SHA-256 and for which update key it is signed.")
    /// An artifact was not what it should be.
    public static let artifactRefused = AuditCode(
        "artifact.refused",
        "An uploaded file was not taken: it was not what was announced, or not signed for an update key; details say which."
    )
    /// An artifact was deleted.
    public static let artifactDeleted = AuditCode("artifact.deleted", "An artifact that no release named was deleted.")
    /// A key is trusted for updates.
    public static let updateKeyPut = AuditCode(
        "updateKey.put", "A key is trusted for updates from now on; details say which and why.")
    /// A key is trusted for updates no more.
    public static let updateKeyDeleted = AuditCode(
        "updateKey.deleted", "A key is trusted for updates no more; details say which and why.")
    /// A release was made.
    public static let releaseCreated = AuditCode("release.created", "A draft of a release was made.")
    /// A draft of a release was changed.
    public static let releaseChanged = AuditCode("release.changed", "A draft of a release was changed.")
    /// A release was published.
    public static let releasePublished = AuditCode(
        "release.published", "A release can be installed from now on, and never changes.")
    /// A release was withdrawn.
    public static let releaseWithdrawn = AuditCode("release.withdrawn", "A release can be ordered no more.")
    /// A release was deleted.
    public static let releaseDeleted = AuditCode("release.deleted", "A release that no operation named was deleted.")

    /// The releases of a component were offered to another tenant.
    public static let releaseLineOffered = AuditCode(
        "releaseLine.offered", "The releases of a component were offered to another tenant.")
    /// An offer of releases was accepted.
    public static let releaseLineAccepted = AuditCode(
        "releaseLine.accepted", "Another tenant's releases of a component arrive from now on.")
    /// An offer of releases was turned down.
    public static let releaseLineDeclined = AuditCode(
        "releaseLine.declined", "An offer of another tenant's releases was turned down.")
    /// A release line was ended.
    public static let releaseLineEnded = AuditCode(
        "releaseLine.ended", "A tenant's releases arrive at another one no more.")
    /// A release arrived from another tenant.
    public static let releaseArrived = AuditCode(
        "release.arrived", "A release arrived from another tenant; its files were checked as uploads are.")
    /// A release of another tenant was not taken.
    public static let releaseRefused = AuditCode(
        "release.refused", "A release of another tenant was not taken; details say why.")

    /// Every code that is recorded of releases and what they are made of.
    static let releases: [AuditCode] = [
        artifactUploaded, artifactRefused, artifactDeleted, updateKeyPut, updateKeyDeleted, releaseCreated,
        releaseChanged, releasePublished, releaseWithdrawn, releaseDeleted, releaseLineOffered, releaseLineAccepted,
        releaseLineDeclined, releaseLineEnded, releaseArrived, releaseRefused,
    ]
}
