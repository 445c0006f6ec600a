public import Base
public import Bus

/// One of the two JSON documents that are kept for a device: what it reports of itself, and what people want it to be.
public struct DeviceDocument: Hashable, Sendable {
    /// Which of the two documents.
    public enum Kind: String, CaseIterable, Sendable {
        /// What the device says of itself; only the device writes it.
        case reported
        /// What people want the device to be; only people write it.
        case desired
    }

    /// Which of the two it is.
    public let kind: Kind
    /// Counts the changes; 0 while nothing was ever written.
    public var version: Int64
    /// The document's members, with a placeholder for each secret.
    public var members: [String: JSONValue]
    /// When it last changed, nil while nothing was ever written.
    public var changed: Timestamp?
    /// What stands where ``members`` has a placeholder; only read for the device itself.
    var secrets: [MemberPath: JSONValue] = [:]

    /// The document of a device for which nothing was ever written.
    public static func unwritten(_ kind: Kind) -> DeviceDocument {
        DeviceDocument(kind: kind, version: 0, members: [:], changed: nil)
    }

    /// The document's members as the device gets them, secrets and all.
    public var told: [String: JSONValue] { content.full }

    /// What it says, its secrets apart.
    var content: DesiredContent { DesiredContent(members: members, secrets: secrets) }

    /// The document as people read it: its version, its members under the name of its kind, and when it changed.
    public var json: JSONValue {
        [
            "version": .integer(version), kind.rawValue: .object(members),
            "changed": changed.map { .string($0.rfc3339) } ?? .null,
        ]
    }

    /// The next version, which says this.
    func next(_ content: DesiredContent, at time: Timestamp) -> DeviceDocument {
        DeviceDocument(
            kind: kind, version: version + 1, members: content.members, changed: time, secrets: content.secrets)
    }

    /// The next version, with these members.
    func next(_ members: [String: JSONValue], at time: Timestamp) -> DeviceDocument {
        DeviceDocument(kind: kind, version: version + 1, members: members, changed: time)
    }

    /// Refuses more than a document may hold.
    static func check(_ members: [String: JSONValue], _ kind: Kind) throws(Refusal) {
        let size = JSONValue.object(members).canonical.utf8.count
        guard size <= FleetLimits.documentBytes else {
            throw Refusal(
                .tooLarge, "\(kind.rawValue).size",
                "the \(kind.rawValue) document would have \(size) bytes; \(FleetLimits.documentBytes) are allowed")
        }
    }
}

/// Both documents of one device.
public struct DeviceDocuments: Hashable, Sendable {
    /// What it reports of itself.
    public var reported: DeviceDocument
    /// What people want it to be.
    public var desired: DeviceDocument
}

/// The desired document of a device changed; both carry their secrets, for the device.
public struct DesiredChanged: Event, Hashable {
    /// The device's tenant.
    public let tenant: TenantID
    /// The device.
    public let device: DeviceID
    /// The document before.
    public let previous: DeviceDocument
    /// The document now.
    public let document: DeviceDocument
}
