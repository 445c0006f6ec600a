public import Audit

extension AuditCode {
    /// A device was registered.
    public static let deviceRegistered = AuditCode("device.registered", "A device was registered.")
    /// Many devices were registered at once.
    public static let devicesRegistered = AuditCode(
        "device.registeredMany", "Devices were registered in one call; details name some of them and the call's size.")
    /// A device's properties were changed.
    public static let deviceUpdated = AuditCode("device.updated", "Properties of a device were changed.")
    /// A device was suspended.
    public static let deviceSuspended = AuditCode("device.suspended", "A device was kept out until it is resumed.")
    /// A device was resumed.
    public static let deviceResumed = AuditCode("device.resumed", "A suspended device was let in again.")
    /// An act on many devices was begun.
    public static let bulkBegun = AuditCode(
        "device.bulkBegun", "An act on all devices that match a filter was begun; each device has an entry of its own.")
    /// A device was revoked.
    public static let deviceRevoked = AuditCode(
        "device.revoked", "A device was kept out for good and its credentials ended.")
    /// A device was deleted.
    public static let deviceDeleted = AuditCode("device.deleted", "A device was deleted.")
    /// A new unit took a device's place.
    public static let deviceReplaced = AuditCode(
        "device.replaced", "A new unit took a device's place; the old unit's credentials ended.")
    /// A device got a new enrolment token.
    public static let enrolmentTokenIssued = AuditCode(
        "device.tokenIssued", "A device got a new enrolment token in place of its old one.")
    /// A device enrolled.
    public static let deviceEnrolled = AuditCode(
        "device.enrolled", "A device used its enrolment token for a certificate.")
    /// A device renewed its certificate.
    public static let deviceRenewed = AuditCode(
        "device.renewed", "A device got a further certificate with its present one.")
    /// A certificate of a device was ended.
    public static let deviceCertificateEnded = AuditCode(
        "device.certificateEnded", "A certificate of a device was ended before its time.")
    /// A device got an access token.
    public static let accessTokenCreated = AuditCode(
        "device.accessTokenCreated", "A device got an access token, the weaker credential.")
    /// A device's access token was ended.
    public static let accessTokenEnded = AuditCode("device.accessTokenEnded", "An access token of a device was ended.")
    /// A gateway may speak for devices.
    public static let gatewayTokenCreated = AuditCode(
        "device.gatewayTokenCreated", "A gateway token was made, with which one gateway speaks for many devices.")
    /// No gateway may speak for devices any more.
    public static let gatewayTokenEnded = AuditCode("device.gatewayTokenEnded", "The gateway token was ended.")
    /// What a device is wanted to be was changed.
    public static let desiredChanged = AuditCode(
        "device.desiredChanged",
        "The desired document of a device was changed; details name its members, not their values.")
    /// What devices of a model or domain are wanted to be was changed.
    public static let desiredLayerChanged = AuditCode(
        "desired.layerChanged",
        "What devices of a model or domain are wanted to be was changed; details name the members, not their values.")
    /// Many devices' own layers were changed at once.
    public static let desiredEdited = AuditCode(
        "desired.edited",
        "Own desired documents of many devices were edited at once; each device has an entry of its own."
    )
    /// A model was created.
    public static let modelCreated = AuditCode("model.created", "A model was created.")
    /// A model was changed.
    public static let modelUpdated = AuditCode("model.updated", "A new version of a model was written.")
    /// A model was deleted.
    public static let modelDeleted = AuditCode("model.deleted", "A model was deleted.")

    /// A heartbeat policy was set.
    public static let heartbeatSet = AuditCode(
        "heartbeat.set", "How often devices shall call was set for a device, a domain or the tenant.")
    /// A heartbeat policy was taken away.
    public static let heartbeatRemoved = AuditCode(
        "heartbeat.removed", "A heartbeat policy was taken away, so that the next one above it counts.")

    /// Every code that this part records.
    public static let fleet: [AuditCode] = [
        deviceRegistered, devicesRegistered, deviceUpdated, deviceSuspended, deviceResumed, bulkBegun,
        deviceRevoked,
        deviceDeleted, deviceReplaced, enrolmentTokenIssued, deviceEnrolled, deviceRenewed,
        deviceCertificateEnded, accessTokenCreated, accessTokenEnded, gatewayTokenCreated, gatewayTokenEnded,
        desiredChanged, desiredLayerChanged, desiredEdited, modelCreated, modelUpdated, modelDeleted, heartbeatSet,
        heartbeatRemoved,
    ]
}
