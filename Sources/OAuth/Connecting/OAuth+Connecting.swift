public import Access
import Audit
public import Base
import Storage
import Trust

/// A program without a browser that waits for a person to let it in (RFC 8628).
public struct Connection: Sendable {
    /// The program.
    public let client: Client
    /// What it wants.
    public let scope: Scope
    /// Where it asks from, for the person to compare.
    public let address: String?
    /// When it began to wait.
    public let made: Timestamp
}

extension OAuth {
    /// Begins the wait of a program that shows a code.
    public func connect(_ request: OAuthRequest) async throws -> JSONValue {
        let client = try await authenticate(request)
        guard client.flows.contains(.device) else {
            throw OAuthError(.unauthorizedClient, "The client is not registered for this flow.")
        }
        let scope = try Scope(asked: request.form["scope"], within: client.permissions)
        guard !scope.isOpenID else { throw OAuthError(.invalidScope, "openid belongs to the flow with a browser.") }
        let (secret, code) = (Token.make(kind: "device"), UserCode.make())
        let now = clock.now
        let network = NetworkAddress(request.address ?? "")?.surroundings.description ?? ""
        let hasBegun = try await database.platform.write { tx in
            let waits = "SELECT count(*) FROM oauth_connection WHERE status = 'waiting' AND expires > $1"
            let all = try tx.row(waits, now)?.int(0) ?? 0
            let near = try tx.row("\(waits) AND network = $2", now, network)?.int(0) ?? 0
            guard all < OAuthLimits.connections, near < OAuthLimits.connectionsPerNetwork else { return false }
            return try tx.execute(
                """
                INSERT INTO oauth_connection
                    (hash, user_code, client, scope, status, address, network, made, pause, expires)
                VALUES ($1, $2, $3, $4, 'waiting', $5, $6, $7, $8, $9) ON CONFLICT (user_code) DO NOTHING
                """, secret.hash, code.letters, client.id, scope.text, request.address, network, now,
                OAuthLimits.connectionPause, now + OAuthLimits.connectionLife) == 1
        }
        guard hasBegun else {
            throw OAuthError(.temporarilyUnavailable, "Too many programs wait to be let in. Try again in a minute.")
        }
        let page = issuer.address(.connect)
        return [
            "device_code": .string(secret.text), "user_code": .string(code.shown), "verification_uri": .string(page),
            "verification_uri_complete": .string(page + "?code=" + code.shown),
            "expires_in": .integer(OAuthLimits.connectionLife.components.seconds),
            "interval": .integer(OAuthLimits.connectionPause),
        ]
    }

    /// The program that shows this code, for a person who has signed in; nil when there is none.
    public func connection(typed text: String, by person: Principal) async throws -> Connection? {
        try attempts.check(person.id)
        let found = try await database.platform.read { tx in try findConnection(text, in: tx) }
        if found == nil { attempts.count(person.id) }
        return found
    }

    /// Lets the program that shows this code act for the person, or refuses to.
    public func answer(typed text: String, letIn isLetIn: Bool, by person: Principal) async throws {
        try attempts.check(person.id)
        let isAnswered = try await database.platform.write { tx in
            guard let code = UserCode(typed: text), let connection = try findConnection(text, in: tx) else {
                return false
            }
            try requirePerson(person, for: connection.client)
            try requireLive(person, in: tx)
            if isLetIn { try requireProof(person, for: connection.scope, in: tx) }
            try tx.scoped(to: person.tenant).execute(
                "UPDATE oauth_connection SET owner = $1, status = $3, principal = $4 WHERE user_code = $2",
                code.letters, isLetIn ? "allowed" : "refused", person.id)
            try recordConsent(
                isLetIn ? .consentGiven : .consentRefused, person, connection.client, connection.scope, in: tx)
            return true
        }
        guard isAnswered else {
            attempts.count(person.id)
            throw Refusal(
                .notFound, "oauth.codeUnknown", "No program shows this code, or not any more. Begin again there.")
        }
    }

    private func findConnection(_ text: String, in tx: Transaction) throws -> Connection? {
        guard let code = UserCode(typed: text) else { return nil }
        let row = try tx.row(
            """
            SELECT client, scope, address, made FROM oauth_connection
            WHERE user_code = $1 AND status = 'waiting' AND expires > $2
            """, code.letters, clock.now)
        guard let row, let client = try findClient(row.text(0), in: tx) else { return nil }
        return Connection(
            client: client, scope: Scope(stored: try row.text(1)), address: try row.textIfAny(2),
            made: try row.timestamp(3))
    }
}
