import Access
import Audit
public import Base
import Storage
import Trust

extension OAuth {
    /// Gives out tokens (RFC 6749, section 3.2).
    public func token(_ request: OAuthRequest) async throws -> JSONValue {
        let client = try await authenticate(request)
        do {
            switch request.form["grant_type"] {
            case nil: throw OAuthError(.invalidRequest, "grant_type is missing.")
            case "refresh_token": return try await refresh(request, client)
            case Client.Flow.itself.wireName:
                return try await forItself(request, try allowed(.itself, client))
            case Client.Flow.code.wireName: return try await exchangeCode(request, try allowed(.code, client))
            case Client.Flow.device.wireName: return try await exchangeDevice(request, try allowed(.device, client))
            default: throw OAuthError(.unsupportedGrantType, "There is no such grant_type here.")
            }
        } catch let error as OAuthError {
            noteRefusal(error, client, request)
            throw error
        }
    }

    private func allowed(_ flow: Client.Flow, _ client: Client) throws(OAuthError) -> Client {
        guard client.flows.contains(flow) else {
            throw OAuthError(.unauthorizedClient, "The client is not registered for this grant_type.")
        }
        return client
    }

    /// Counted, not written one by one: a program that repeats itself must not fill the log.
    private func noteRefusal(_ error: OAuthError, _ client: Client, _ request: OAuthRequest) {
        // A program that waits is not refused, and reuse has an entry of its own.
        guard error.code != .authorizationPending, error.code != .slowDown else { return }
        audit.deny(
            AuditEntry(
                .accessRefused, tenant: client.tenant ?? .platform,
                actor: Actor(kind: .client, id: client.id, name: client.name, address: request.address),
                object: AuditObject(kind: "client", id: client.id), outcome: .denied,
                details: ["error": .string(error.code.rawValue)]))
    }

    /// A token for the client itself.
    private func forItself(_ request: OAuthRequest, _ client: Client) async throws -> JSONValue {
        let scope = try Scope(asked: request.form["scope"], within: client.permissions)
        guard !scope.isOpenID else {
            throw OAuthError(.invalidScope, "A client for itself is nobody with an identity.")
        }
        guard let owner = client.tenant, let principal = client.principal else { throw OAuthError.unknownClient }
        let now = clock.now
        let answer = try await database.platform.write { tx -> [String: JSONValue]? in
            guard try isActive(principal, of: owner, in: tx) else { return nil }
            let live =
                try tx.row(
                    "SELECT count(*) FROM oauth_family WHERE client = $1 AND principal = $2 AND expires > $3 AND ended IS NULL",
                    client.id, principal, now)?.int(0) ?? 0
            guard live < OAuthLimits.liveTokens else {
                throw OAuthError(.temporarilyUnavailable, "The client has too many live tokens: use each for its time.")
            }
            let family = try begin(
                client, owner: owner, principal: principal, scope: scope, life: OAuthLimits.accessLife, in: tx)
            return try issue(family, scope: scope, canGoOn: false, request, as: .accessIssued, in: tx)
        }
        guard let answer else { throw OAuthError.unknownClient }
        return .object(answer)
    }

    /// What became of a code or a token that was presented.
    private enum Exchange {
        case given([String: JSONValue])
        case refused(OAuthError)
    }

    private func finish(_ exchange: Exchange) throws(OAuthError) -> [String: JSONValue] {
        switch exchange {
        case .given(let answer): return answer
        case .refused(let error): throw error
        }
    }

    static let wrongCode = OAuthError(
        .invalidGrant, "The code is unknown, over, used, another client's, or for another address or proof key.")

    /// Tokens for the code that a browser brought; its second use ends what its first one gave.
    private func exchangeCode(_ request: OAuthRequest, _ client: Client) async throws -> JSONValue {
        guard let code = request.form["code"], let verifier = request.form["code_verifier"],
            let redirect = request.form["redirect_uri"]
        else { throw OAuthError(.invalidRequest, "code, redirect_uri and code_verifier must be there.") }
        guard Token(code)?.kind == "code" else { throw Self.wrongCode }
        let now = clock.now
        let signer = try await signer()
        // A refusal that must leave its trace is returned, because a throw would undo it.
        let exchange = try await database.platform.write { tx -> Exchange in
            let row = try tx.row(
                """
                SELECT owner, principal, redirect, challenge, scope, nonce, signed_in, expires, family FROM oauth_code
                WHERE hash = $1 AND client = $2
                """, Token.hash(of: code), client.id)
            guard let row else { return .refused(Self.wrongCode) }
            let owner: TenantID = try row.identifier(0)
            if let family: FamilyID = try row.identifierIfAny(8) {
                try reused(family, owner, client, request, in: tx)
                return .refused(Self.wrongCode)
            }
            let principal: PrincipalID = try row.identifier(1)
            // RFC 9700, section 4.5: a code whose proof fails may have been stolen, so it is used up.
            let isRight =
                try row.timestamp(7) > now && row.text(2) == redirect
                && ProofKey.matches(verifier, challenge: row.text(3)) && isActive(principal, of: owner, in: tx)
            guard isRight else {
                try tx.execute("DELETE FROM oauth_code WHERE hash = $1", Token.hash(of: code))
                return .refused(Self.wrongCode)
            }
            let scope = Scope(stored: try row.text(4))
            let family = try begin(
                client, owner: owner, principal: principal, scope: scope, life: OAuthLimits.familyLife, in: tx)
            try tx.execute(
                "UPDATE oauth_code SET family = $2 WHERE hash = $1", Token.hash(of: code), family.id)
            var answer = try issue(family, scope: scope, canGoOn: true, request, as: .accessIssued, in: tx)
            if scope.isOpenID {
                answer["id_token"] = .string(
                    try identity(
                        family, signedIn: row.timestamp(6), nonce: row.textIfAny(5), signer: signer, in: tx))
            }
            return .given(answer)
        }
        return .object(try finish(exchange))
    }

    /// Tokens for a program that has shown a code to a person, once they have let it in.
    private func exchangeDevice(_ request: OAuthRequest, _ client: Client) async throws -> JSONValue {
        guard let code = request.form["device_code"] else {
            throw OAuthError(.invalidRequest, "device_code is missing.")
        }
        let wrong = OAuthError(.invalidGrant, "The device_code is unknown, used, or another client's.")
        guard Token(code)?.kind == "device" else { throw wrong }
        let (hash, now) = (Token.hash(of: code), clock.now)
        let exchange = try await database.platform.write { tx -> Exchange in
            let row = try tx.row(
                """
                SELECT status, scope, owner, principal, polled, pause, expires FROM oauth_connection
                WHERE hash = $1 AND client = $2
                """, hash, client.id)
            guard let row else { return .refused(wrong) }
            guard try row.timestamp(6) > now else {
                return .refused(OAuthError(.expiredToken, "Nobody let the program in within ten minutes."))
            }
            let pause = try row.integer(5)
            if let polled = try row.timestampIfAny(4), now - polled < .seconds(pause) {
                try tx.execute(
                    "UPDATE oauth_connection SET polled = $2, pause = $3 WHERE hash = $1", hash, now, min(pause + 5, 60)
                )
                return .refused(OAuthError(.slowDown, "Ask five seconds less often."))
            }
            try tx.execute("UPDATE oauth_connection SET polled = $2 WHERE hash = $1", hash, now)
            switch try row.text(0) {
            case "waiting":
                return .refused(OAuthError(.authorizationPending, "The person has not answered yet."))
            case "refused": return .refused(OAuthError(.accessDenied, "The person said no."))
            case "allowed": break
            default: return .refused(wrong)
            }
            let (owner, principal): (TenantID, PrincipalID) = (try row.identifier(2), try row.identifier(3))
            try tx.execute("UPDATE oauth_connection SET status = 'used' WHERE hash = $1", hash)
            guard try isActive(principal, of: owner, in: tx) else { return .refused(wrong) }
            let scope = Scope(stored: try row.text(1))
            let family = try begin(
                client, owner: owner, principal: principal, scope: scope, life: OAuthLimits.familyLife, in: tx)
            return .given(try issue(family, scope: scope, canGoOn: true, request, as: .accessIssued, in: tx))
        }
        return .object(try finish(exchange))
    }

    /// The next tokens for a refresh token, which is used up; its second use ends the family.
    private func refresh(_ request: OAuthRequest, _ client: Client) async throws -> JSONValue {
        guard let token = request.form["refresh_token"] else {
            throw OAuthError(.invalidRequest, "refresh_token is missing.")
        }
        let wrong = OAuthError(.invalidGrant, "The refresh_token is unknown, over, used, ended, or another client's.")
        guard Token(token)?.kind == "refresh" else { throw wrong }
        let now = clock.now
        let exchange = try await database.platform.write { tx -> Exchange in
            let row = try tx.row(
                """
                SELECT i.family, i.used, i.refresh_expires, i.credential, f.owner FROM oauth_issue i
                JOIN oauth_family f ON f.id = i.family WHERE i.refresh = $1 AND f.client = $2
                """, Token.hash(of: token), client.id)
            guard let row else { return .refused(wrong) }
            let id: FamilyID = try row.identifier(0)
            let owner: TenantID = try row.identifier(4)
            guard row.isNull(1) else {
                try reused(id, owner, client, request, in: tx)
                return .refused(wrong)
            }
            guard try row.timestamp(2) > now, let family = try findFamily(id, of: client, from: request.address, in: tx)
            else {
                return .refused(wrong)
            }
            let asked: Scope
            do throws(OAuthError) {
                asked =
                    try request.form["scope"].map { text throws(OAuthError) in
                        try Scope(asked: text, within: family.scope.permissions)
                    } ?? family.scope
            } catch { return .refused(error) }
            guard asked.isWithin(family.scope) else {
                return .refused(OAuthError(.invalidScope, "The scope is more than was given at first."))
            }
            try tx.execute("UPDATE oauth_issue SET used = $2 WHERE refresh = $1", Token.hash(of: token), now)
            // The token before is of no more use, so it is not left lying about.
            try access.end(row.identifier(3), of: owner, in: tx)
            return .given(try issue(family, scope: asked, canGoOn: true, request, as: .accessRefreshed, in: tx))
        }
        return .object(try finish(exchange))
    }

    /// Ends everything that was given for a code or token that somebody presents again: one of the two stole it.
    private func reused(
        _ family: FamilyID, _ owner: TenantID, _ client: Client, _ request: OAuthRequest, in tx: Transaction
    ) throws {
        let isLive = try tx.row("SELECT 1 FROM oauth_family WHERE id = $1 AND ended IS NULL", family) != nil
        guard isLive else { return }
        try end(family: family, of: owner, in: tx)
        try record(
            .accessReused, owner, client, address: request.address,
            object: AuditObject(kind: "client", id: client.id), outcome: .denied,
            details: ["flow": request.form["grant_type"].map { .string($0) } ?? .null], in: tx)
    }
}
