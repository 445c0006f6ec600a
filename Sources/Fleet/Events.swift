public import Base
public import Bus
public import Trust

/// A device, or one of its credentials, is no longer let in: whoever holds a connection of it closes it at once.
public struct DeviceAccessEnded: Event, Hashable {
    /// Why access ended.
    public enum Reason: String, Sendable {
        /// Somebody suspended the device.
        case suspended
        /// Somebody revoked the device.
        case revoked
        /// The device was deleted.
        case deleted
        /// A new unit took the device's place.
        case replaced
        /// This certificate or access token was ended, the device itself may stay.
        case credentialEnded
        /// The device's channels or kinds of credentials are no longer allowed by its model.
        case policyChanged
    }

    /// The device's tenant.
    public let tenant: TenantID
    /// The device.
    public let device: DeviceID
    /// The certificate that ended; nil when every connection of the device must close.
    public let fingerprint: Fingerprint?
    /// Why.
    public let reason: Reason
}

/// Something of a device changed: its name, domain, model, labels or status.
public struct DeviceChanged: Event, Hashable {
    /// The device's tenant.
    public let tenant: TenantID
    /// The device.
    public let device: DeviceID
    /// What the change was.
    public enum Change: String, Sendable {
        /// It was registered.
        case registered
        /// Its properties changed.
        case updated
        /// Its status changed.
        case status
        /// It got a certificate.
        case enrolled
        /// It was deleted.
        case deleted
    }
    /// What the change was.
    public let change: Change
}

/// Many devices were registered at once.
public struct DevicesRegistered: Event, Hashable {
    /// Their tenant.
    public let tenant: TenantID
    /// How many.
    public let count: Int
    /// The one whose identifier comes first; those of all others come behind it.
    public let first: DeviceID
}

/// A model was created, changed or deleted.
public struct ModelChanged: Event, Hashable {
    /// The model's tenant.
    public let tenant: TenantID
    /// The model.
    public let model: ModelID
}

/// A device that had no connection has one.
public struct DeviceOnline: Event, Hashable {
    /// The device's tenant.
    public let tenant: TenantID
    /// The device.
    public let device: DeviceID
    /// When it connected.
    public let time: Timestamp
}

/// A device's last connection ended.
public struct DeviceOffline: Event, Hashable {
    /// Why the connection ended.
    public enum Reason: String, Sendable {
        /// The device said goodbye.
        case closed
        /// The connection broke without a goodbye.
        case lost
        /// The server closed it: access ended, a limit was exceeded, or it is stopping.
        case ended
    }

    /// The device's tenant.
    public let tenant: TenantID
    /// The device.
    public let device: DeviceID
    /// When the connection ended.
    public let time: Timestamp
    /// Why.
    public let reason: Reason
}

/// Devices have missed so many calls that they are late.
public struct DevicesLate: Event, Hashable {
    /// Their tenant.
    public let tenant: TenantID
    /// The devices.
    public let devices: [DeviceID]
    /// When that was found.
    public let time: Timestamp
}

/// Devices have missed so many calls that they are silent.
public struct DevicesSilent: Event, Hashable {
    /// Their tenant.
    public let tenant: TenantID
    /// The devices.
    public let devices: [DeviceID]
    /// When that was found.
    public let time: Timestamp
}

/// Devices that were late or silent have called again.
public struct DevicesBack: Event, Hashable {
    /// Their tenant.
    public let tenant: TenantID
    /// The devices.
    public let devices: [DeviceID]
    /// When they did.
    public let time: Timestamp
}

/// Nobody expects these devices to call any more, though they were late or silent: they are exempt, or not let in.
public struct DevicesExcused: Event, Hashable {
    /// Their tenant.
    public let tenant: TenantID
    /// The devices.
    public let devices: [DeviceID]
    /// When that was found.
    public let time: Timestamp
}

/// A tenant was suspended or deleted: whoever holds a connection of one of its devices closes it at once.
public struct TenantAccessEnded: Event, Hashable {
    /// The tenant.
    public let tenant: TenantID

    /// The end of this tenant's access.
    public init(tenant: TenantID) {
        self.tenant = tenant
    }
}

/// Credentials of a principal ended or rights changed, of one principal or of everybody in a tenant: whoever holds an
/// open stream asks again whether it may go on.
public struct CredentialsEnded: Event, Hashable {
    /// The tenant of the principal.
    public let tenant: TenantID
    /// The principal; nil is everybody of the tenant, and who is there by a share.
    public let principal: PrincipalID?

    /// The end of credentials of this principal.
    public init(tenant: TenantID, principal: PrincipalID?) {
        self.tenant = tenant
        self.principal = principal
    }
}
