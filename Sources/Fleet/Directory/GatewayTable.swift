import Base
import Trust

/// The tokens with which gateways speak for devices, at most one for each tenant.
struct GatewayTable: Sendable {
    /// Tickets of gateways have this place, which no credential of a device has.
    private static let slot = UInt32.max

    private var gateways: [TenantID: (digest: Fingerprint, number: UInt64)] = [:]
    private var lastNumber: UInt64 = 0

    /// The token that counts from now on; whoever was let in with another one is not let in any more.
    mutating func set(_ digest: Fingerprint?, of tenant: TenantID) {
        lastNumber += 1
        gateways[tenant] = digest.map { ($0, lastNumber) }
    }

    /// The ticket of whoever presents this token.
    func ticket(_ digest: Fingerprint, of tenant: TenantID) -> CredentialTicket? {
        guard let gateway = gateways[tenant], gateway.digest == digest else { return nil }
        return CredentialTicket(slot: Self.slot, number: gateway.number)
    }

    /// Whether the ticket is one of the tenant's present token.
    func holds(_ ticket: CredentialTicket, of tenant: TenantID) -> Bool {
        ticket.slot == Self.slot && gateways[tenant]?.number == ticket.number
    }
}
