/// A 16-byte name that the server gave, distinct for each kind of thing it names.
///
/// The layout is UUID version 7 (RFC 9562, section 5.7): 48 bits of milliseconds, then random bits. New rows
/// therefore land at the end of an index, and 74 random bits keep the value unguessable by walking.
public struct Identifier<Kind>: Hashable, Comparable, Sendable {
    /// The first eight bytes, big-endian.
    public let high: UInt64
    /// The last eight bytes, big-endian.
    public let low: UInt64

    /// The identifier with exactly these 128 bits.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A new identifier made at `now` from `generator`'s random bits.
    public init(now: Timestamp, using generator: inout some RandomNumberGenerator) {
        let milliseconds = UInt64(clamping: now.microseconds / 1000) & 0xFFFF_FFFF_FFFF
        let random = UInt64.random(in: 0...UInt64.max, using: &generator)
        high = milliseconds << 16 | 0x7000 | (random & 0x0FFF)
        low = UInt64.random(in: 0...UInt64.max, using: &generator) & 0x3FFF_FFFF_FFFF_FFFF | 1 << 63
    }

    /// A new identifier made at `now` from the system's secure random source.
    public init(now: Timestamp) {
        var generator = SystemRandomNumberGenerator()
        self.init(now: now, using: &generator)
    }

    /// The identifier stored in `bytes`, or nil unless there are exactly 16.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for (index, byte) in bytes.enumerated() {
            if index < 8 { high = high << 8 | UInt64(byte) } else { low = low << 8 | UInt64(byte) }
        }
        self.init(high: high, low: low)
    }

    /// The identifier written as 32 hexadecimal digits, or nil when the text is anything else.
    public init?(text: some StringProtocol) {
        guard text.utf8.count == 32, let bytes = [UInt8](hex: text) else { return nil }
        self.init(bytes: bytes)
    }

    /// The 16 bytes as they are stored.
    public var bytes: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(16)
        for shift in stride(from: 56, through: 0, by: -8) {
            result.append(UInt8(truncatingIfNeeded: high >> UInt64(shift)))
        }
        for shift in stride(from: 56, through: 0, by: -8) {
            result.append(UInt8(truncatingIfNeeded: low >> UInt64(shift)))
        }
        return result
    }

    /// The 32 lower-case hexadecimal digits used in addresses, JSON and logs.
    public var text: String { bytes.hex }

    /// The order of the bytes, which is that of creation for identifiers that begin with the time.
    public static func < (left: Self, right: Self) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }
}

extension Identifier: CustomStringConvertible {
    /// The hexadecimal text.
    public var description: String { text }
}

extension Identifier: Codable {
    /// Reads the hexadecimal text.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = Self(text: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an identifier")
        }
        self = value
    }

    /// Writes the hexadecimal text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// Marks identifiers of tenants.
public enum TenantKind {}
/// Marks identifiers of domains, the nodes of a tenant's tree.
public enum DomainKind {}
/// Marks identifiers of devices.
public enum DeviceKind {}
/// Marks identifiers of models, the device types.
public enum ModelKind {}
/// Marks identifiers of series.
public enum SeriesKind {}
/// Marks identifiers of principals: users, API clients and devices as actors.
public enum PrincipalKind {}
/// Marks identifiers of roles.
public enum RoleKind {}
/// Marks identifiers of grants.
public enum GrantKind {}
/// Marks identifiers of shares across tenants.
public enum ShareKind {}
/// Marks identifiers of credentials: certificates and tokens.
public enum CredentialKind {}
/// Marks identifiers of plans.
public enum PlanKind {}
/// Marks identifiers of user groups.
public enum UserGroupKind {}
/// Marks identifiers of moves of devices and domains.
public enum MoveKind {}
/// Marks identifiers of grants' makings and ends that can be undone.
public enum GrantChangeKind {}
/// Marks identifiers of pending changes.
public enum PendingChangeKind {}

/// Names a tenant, the isolation boundary.
public typealias TenantID = Identifier<TenantKind>
/// Names a domain.
public typealias DomainID = Identifier<DomainKind>
/// Names a device.
public typealias DeviceID = Identifier<DeviceKind>
/// Names a model.
public typealias ModelID = Identifier<ModelKind>
/// Names a series.
public typealias SeriesID = Identifier<SeriesKind>
/// Names a principal.
public typealias PrincipalID = Identifier<PrincipalKind>
/// Names a role.
public typealias RoleID = Identifier<RoleKind>
/// Names a grant.
public typealias GrantID = Identifier<GrantKind>
/// Names a share.
public typealias ShareID = Identifier<ShareKind>
/// Names a credential.
public typealias CredentialID = Identifier<CredentialKind>
/// Names a user group.
public typealias UserGroupID = Identifier<UserGroupKind>
/// Names a move.
public typealias MoveID = Identifier<MoveKind>
/// Names a grant's making or end that can be undone.
public typealias GrantChangeID = Identifier<GrantChangeKind>
/// Names a pending change.
public typealias PendingChangeID = Identifier<PendingChangeKind>
/// Names a plan.
public typealias PlanID = Identifier<PlanKind>

extension Identifier where Kind == TenantKind {
    /// The platform, itself a tenant, always present, with this fixed identifier.
    public static let platform = TenantID(high: 0, low: 1)
}
