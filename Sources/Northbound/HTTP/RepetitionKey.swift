import Access
import Base
import Crypto
import HTTPTypes
import HummingbirdCore

/// Names one request that may be repeated: whose it is, the key they gave it, and what it asks.
struct RepetitionKey: Hashable, Sendable {
    let tenant: TenantID
    let principal: PrincipalID
    let text: String
    /// The SHA-256 of method, address and body: two requests under one key must not differ.
    let request: [UInt8]

    init(_ text: String, call: Call, route: Route, body: [UInt8]) throws {
        guard (1...NorthboundLimits.idempotencyKeyCharacters).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw Refusal(
                .invalid, "idempotency.keyInvalid",
                "An idempotency key is 1 to \(NorthboundLimits.idempotencyKeyCharacters) visible ASCII characters.")
        }
        var hash = SHA256()
        hash.update(data: Array("\(route.method.rawValue) \(call.request.head.path ?? "")\n".utf8))
        hash.update(data: body)
        // What one credential was told is not told to another of the same principal, which may be for less.
        hash.update(data: call.principal.credential?.id.bytes ?? [])
        tenant = call.tenant.id
        principal = call.principal.id
        self.text = text
        request = Array(hash.finalize())
    }

    /// Two are in each other's way when all but the request is equal.
    struct Slot: Hashable, Sendable {
        let tenant: TenantID
        let principal: PrincipalID
        let text: String
    }

    var slot: Slot { Slot(tenant: tenant, principal: principal, text: text) }
}
