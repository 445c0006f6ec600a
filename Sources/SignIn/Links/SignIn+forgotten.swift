import Audit
public import Base
import Storage
import Synchronization

/// Requests for a new password until they are worked off.
final class ResetRequests: Sendable {
    struct Request: Sendable {
        let address: String
        let organisation: TenantSlug?
        let origin: Origin
    }

    private let waiting = Mutex<[Request]>([])

    func add(_ request: Request) throws {
        try waiting.withLock { waiting in
            guard waiting.count < SignInLimits.resetRequests else { throw PasswordHashing.busy }
            waiting.append(request)
        }
    }

    func take() -> [Request] {
        waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
    }
}

extension SignIn {
    /// Asks for a link to a new password. The answer is the same whether or not there is such an account, and comes
    /// before anybody has looked: the link is made and mailed a moment later.
    public func forgot(address: String, organisation: TenantSlug? = nil, from origin: Origin) throws {
        try throttle.charge(origin)
        guard address.utf8.count <= SignInLimits.addressCharacters else { return }
        try requests.add(.init(address: address, organisation: organisation, origin: origin))
    }

    /// Works the requests off; every account gets one mail in a while, however often somebody asks.
    package func sendResetLinks() async throws {
        for request in requests.take() {
            do {
                try await database.platform.write { tx -> Void in
                    guard
                        let account = try candidate(
                            request.address, request.organisation, from: request.origin, in: tx)?.account
                    else { return }
                    // Who signs in by a directory has no password here, and leaves with the directory.
                    guard account.hasPassword else { return }
                    let last = try lastLink(.reset, of: account, in: tx)
                    guard last.map({ clock.now - $0 >= .seconds(SignInLimits.linkMinutes * 60) }) ?? true else {
                        return
                    }
                    let link = try makeLink(.reset, owner: account.tenant, principal: account.principal, in: tx)
                    guard try send(note(.reset, link, to: account), account.tenant, tx) else { throw NotSent() }
                    try audit.record(
                        AuditEntry(
                            .linkMade, tenant: account.tenant, actor: .unknown(address: request.origin.address),
                            object: AuditObject(kind: "account", id: account.principal.text),
                            details: ["purpose": .string(LinkPurpose.reset.rawValue), "mailed": true]), in: tx)
                }
            } catch is NotSent {
                // Without a mail server nobody gets a link this way, so none was made.
            }
        }
    }

    private struct NotSent: Error {}
}
