public import Base

/// What a new share shall be, in the words of whoever offers it.
struct ShareDraft: Sendable {
    let role: String
    let domain: String?
    let device: String?
    /// The other tenant, by slug or identifier.
    let to: String
    let holder: String
    let ends: Timestamp
}

extension ShareDraft {
    /// The draft that a proposed change describes.
    init(json: JSONValue) throws {
        func text(_ member: String) throws -> String {
            guard let text = json[member]?.string else { throw Access.unreadable(member) }
            return text
        }
        guard let ends = Timestamp(rfc3339: try text("ends")) else { throw Access.unreadable("ends") }
        self.init(
            role: try text("role"), domain: json["domain"]?.string, device: json["device"]?.string, to: try text("to"),
            holder: try text("holder"), ends: ends)
    }
}

/// An offer of a role in one tenant to principals of another, ending on a date.
public struct Share: Sendable, Hashable {
    /// How far the offer has come.
    public enum Status: String, Sendable, CaseIterable {
        /// Waits for the other tenant's answer.
        case offered
        /// Counts until its end.
        case accepted
        /// Was turned down.
        case declined
        /// Was ended by one of the two sides.
        case ended
    }

    /// Who of the other tenant acts through it.
    public enum Holder: Sendable, Hashable {
        /// One principal.
        case principal(PrincipalID)
        /// Everybody who holds this role in the other tenant.
        case role(RoleID)
    }

    /// The stable identifier.
    public let id: ShareID
    /// The tenant that shares.
    public let owner: TenantID
    /// The tenant that may act.
    public let grantee: TenantID
    /// Who of it.
    public let holder: Holder
    /// The role, of the owner's roles.
    public let role: RoleID
    /// Where in the owner's tree, with everything below; nil when it is about a device only.
    public let domain: DomainID?
    /// The device that is shared, when it is only one.
    public let device: DeviceID?
    /// How far the offer has come.
    public let status: Status
    /// When it ends at the latest.
    public let ends: Timestamp
    /// When it was offered.
    public let offered: Timestamp
}
