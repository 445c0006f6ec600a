public import Base
package import Storage

/// Where a right counts: in a domain and everything below it, or at one device.
public struct GrantPlace: Sendable, Hashable {
    /// The domain; for a device the one that it lives in now.
    public let domain: DomainID
    /// The device, when only that one is meant.
    public let device: DeviceID?

    /// A domain, or a device that lives in it.
    public init(domain: DomainID, device: DeviceID? = nil) {
        self.domain = domain
        self.device = device
    }
}

extension Access {
    /// The place that somebody names: a device when one is named, else a domain, nil being the root.
    package func place(domain: String?, device: String?, tenant: TenantID, in tx: Transaction) throws -> GrantPlace {
        guard let device else { return GrantPlace(domain: try self.domain(domain, tenant: tenant, in: tx)) }
        guard domain == nil else {
            throw Refusal(
                .invalid, "place.ambiguous", "Name a domain or a device, not both.",
                faults: [Refusal.Fault(place: "/device", message: "can not stand beside domain")])
        }
        guard let found = try locate(device, tx.scoped(to: tenant)) else { throw Self.unknown("device") }
        return found
    }

    /// Decides whether the principal may do this at the place.
    package func authorize(
        _ principal: Principal, _ permission: Permission, tenant: TenantID, at place: GrantPlace, in tx: Transaction
    ) throws {
        do {
            try authorize(
                principal, permission, tenant: tenant, domain: place.domain, device: place.device, in: tx)
        } catch let refusal as Refusal where refusal.kind == .notFound && place.device != nil {
            throw Self.unknown("device")
        }
    }
}
