public import Base
public import Trust

/// The channels that a credential opens.
public struct ChannelSet: OptionSet, Hashable, Sendable {
    /// One bit for each channel.
    public let rawValue: UInt8

    /// The set with these bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Tasks, firmware and configuration.
    public static let maintenance = ChannelSet(rawValue: 1)
    /// Telemetry.
    public static let stream = ChannelSet(rawValue: 2)
    /// Both channels.
    public static let both: ChannelSet = [.maintenance, .stream]

    /// The set of one channel.
    public init(_ channel: Channel) {
        switch channel {
        case .maintenance: self = .maintenance
        case .stream: self = .stream
        }
    }
}

/// A device that proved who it is and is let in: what every listener passes on with what the device says.
///
/// It is a snapshot. Whoever keeps it, for a connection or a resumed session, asks ``DeviceDirectory/isAdmitted(_:)``
/// before each use.
public struct AdmittedDevice: Sendable {
    /// The tenant.
    public let tenant: TenantID
    /// The tenant's short name.
    public let tenantSlug: TenantSlug
    /// The device.
    public let device: DeviceID
    /// The device's name at this moment.
    public let name: Name
    /// The device's domain at this moment.
    public let domain: DomainID
    /// The device's model at this moment, if any.
    public let model: ModelID?
    /// The channels that the credential opens.
    public let channels: ChannelSet
    /// The certificate that proved it; nil when it was an access token, the weaker credential.
    public let credential: Fingerprint?
    /// The last moment at which the credential is valid.
    public let notAfter: Timestamp
    /// Where the directory keeps the credential; it never means another one.
    let ticket: CredentialTicket

    /// Whether the credential opens this channel.
    public func opens(_ channel: Channel) -> Bool { channels.contains(ChannelSet(channel)) }
}

extension AdmittedDevice: Hashable {
    /// Equal when the same credential of the same device was admitted in the same act.
    public static func == (left: Self, right: Self) -> Bool {
        left.device == right.device && left.ticket == right.ticket
    }

    /// Hashes what equality compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(device)
        hasher.combine(ticket)
    }
}

/// One credential's place in the directory and the number under which it was put there.
struct CredentialTicket: Hashable, Sendable {
    var slot: UInt32
    var number: UInt64
}
