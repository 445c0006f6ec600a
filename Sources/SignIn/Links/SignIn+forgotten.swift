import Audit
public import Base
package import Logging
import Storage
import Synchronization

/// Requests for a new password until they are worked off.
final class ResetRequests: Sendable {
    struct Request: Sendable {
        let address: String
        let organisation: TenantSlug?
        let origin: Origin
        /// How often the database could not answer.
        var failures = 0
    }

    private let waiting = Mutex<[Request]>([])

    func add(_ request: Request) throws {
        try waiting.withLock { waiting in
            guard waiting.count < SignInLimits.resetRequests else { throw PasswordHashing.busy }
            waiting.append(request)
        }
    }

    /// Puts back what could not be worked off, as long as there is room.
    func putBack(_ failed: [Request]) {
        waiting.withLock { $0 += failed.prefix(max(SignInLimits.resetRequests - $0.count, 0)) }
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
    ///
    /// What one request meets with is no other's matter: a refusal ends it alone, and one that the database could not
    /// answer is tried again.
    package func sendResetLinks(
        log logger: Logger = Logger(label: "tidegate.sign-in", factory: { _ in SwiftLogNoOpLogHandler() })
    ) async {
        var failed: [ResetRequests.Request] = []
        for request in requests.take() {
            do {
                try await database.platform.write { tx -> Void in
                    guard
                        let account = try named(
                            request.address, request.organisation, from: request.origin, in: tx)?.account,
                        try mayEnter(account, from: request.origin, in: tx)
                    else { return }
                    // Who signs in by a directory has no password here, and leaves with the directory.
                    guard account.hasPassword else { return }
                    let last = try lastLink(.reset, of: account, in: tx)
                    guard last.map({ clock.now - $0 >= .seconds(SignInLimits.linkMinutes * 60) }) ?? true else {
                        return
                    }
                    // Those before stay good, or whoever knows the address could end them: one used ends them all.
                    let link = try makeLink(
                        .reset, owner: account.tenant, principal: account.principal, isOnlyOne: false, in: tx)
                    guard try send(note(.reset, link, to: account), account.tenant, tx) else { throw NotSent() }
                    try audit.record(
                        AuditEntry(
                            .linkMade, tenant: account.tenant, actor: .unknown(address: request.origin.address),
                            object: AuditObject(kind: "account", id: account.principal.text),
                            details: ["purpose": .string(LinkPurpose.reset.rawValue), "mailed": true]), in: tx)
                }
            } catch is NotSent {
                // Without a mail server nobody gets a link this way, so none was made.
            } catch let refusal as Refusal {
                logger.warning("a link to a new password is not sent", metadata: ["reason": "\(refusal.code)"])
            } catch {
                logger.error("a link to a new password has to wait", metadata: ["reason": "\(error)"])
                var later = request
                later.failures += 1
                if later.failures < SignInLimits.resetTries { failed.append(later) }
            }
        }
        requests.putBack(failed)
    }

    private struct NotSent: Error {}
}
