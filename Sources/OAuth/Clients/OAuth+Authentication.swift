import Access
import Audit
import Base
import Storage
import Trust

extension OAuth {
    /// The client that a request is from, by the method it is registered with and no other.
    ///
    /// Who fails is counted in the audit log of the client's tenant, when that is known, and of the platform otherwise.
    func authenticate(_ request: OAuthRequest) async throws -> Client {
        do {
            return try await prove(request)
        } catch let error as OAuthError where error.code == .invalidClient {
            audit.refuse(source: request.address ?? "unknown", code: "oauth.invalid_client")
            throw error
        }
    }

    private func prove(_ request: OAuthRequest) async throws -> Client {
        let form = request.form
        let basic = try request.authorization.map(Self.basic)
        let kinds = [basic != nil, form["client_secret"] != nil, form["client_assertion"] != nil].count { $0 }
        guard kinds <= 1 else {
            throw OAuthError(.invalidRequest, "A client proves itself in one way, not in several.")
        }
        if let basic, let named = form["client_id"], named != basic.id {
            throw OAuthError(.invalidRequest, "The form names another client than the Authorization field.")
        }
        if let assertion = form["client_assertion"] {
            guard form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" else {
                throw OAuthError(.invalidRequest, "The client_assertion_type is not the one of RFC 7523.")
            }
            return try await prove(assertion, named: form["client_id"])
        }
        guard let id = basic?.id ?? form["client_id"] else {
            throw OAuthError(.invalidClient, "Say which client it is: client_id, or the Authorization field.")
        }
        let found = try await database.platform.read { try findClient(id, in: $0) }
        guard let client = found else { throw OAuthError.unknownClient }
        let secret = basic?.secret ?? form["client_secret"]
        switch client.method {
        case .none:
            guard secret == nil else { throw OAuthError.unknownClient }
        case .secret:
            guard let hash = client.secretHash, let secret, ConstantTime.equal(Token.hash(of: secret), hash) else {
                throw OAuthError.unknownClient
            }
        case .certificate:
            guard secret == nil, let presented = request.certificate, presented == client.certificate else {
                throw OAuthError.unknownClient
            }
        case .key: throw OAuthError.unknownClient
        }
        return client
    }

    /// Name and secret of HTTP Basic, each escaped as in a form (RFC 6749, section 2.3.1).
    private static func basic(_ field: String) throws(OAuthError) -> (id: String, secret: String) {
        let wrong = OAuthError(.invalidClient, "The Authorization field is not Basic with a client and its secret.")
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic", parts[1].utf8.count <= OAuthLimits.formBytes else {
            throw wrong
        }
        // Padded base64 with the standard alphabet, read by the strict reader of the other one.
        let plain = parts[1].drop { $0 == " " }
        let text = plain.reversed().drop { $0 == "=" }.reversed().map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }
        guard !plain.contains("-"), !plain.contains("_"), let bytes = [UInt8](base64URL: String(text)),
            let pair = String(validating: bytes, as: UTF8.self), let colon = pair.firstIndex(of: ":"),
            let id = FormText.decoded(pair[..<colon]), let secret = FormText.decoded(pair[pair.index(after: colon)...]),
            !id.isEmpty
        else { throw wrong }
        return (id, secret)
    }

    /// The client that signed an assertion, each of which counts once.
    private func prove(_ assertion: String, named name: String?) async throws -> Client {
        guard let id = JSONWebToken.unprovenIssuer(assertion), name == nil || name == id else {
            throw OAuthError.unknownClient
        }
        let found = try await database.platform.read { try findClient(id, in: $0) }
        guard let client = found, client.method == .key, let keys = client.keys.flatMap({ JSONWebKeySet($0) }) else {
            throw OAuthError.unknownClient
        }
        let rules = TokenRules(
            issuer: id, audiences: issuer.audiences, types: ["jwt", "client-authentication+jwt"],
            longestLife: OAuthLimits.assertionLife)
        let token: JSONWebToken
        do throws(JSONWebToken.Fault) {
            token = try JSONWebToken(assertion, keys: keys, rules: rules, now: clock.now)
        } catch {
            throw OAuthError(.invalidClient, "The client's assertion does not count: \(error.rawValue).")
        }
        guard token.claims["sub"]?.string == id, let own = token.claims["jti"]?.string, !own.isEmpty,
            own.utf8.count <= OAuthLimits.assertionNameBytes
        else { throw OAuthError(.invalidClient, "An assertion has the client as sub, and a jti of its own.") }
        let isNew = try await database.platform.write { tx in
            try tx.execute(
                "INSERT INTO oauth_assertion (hash, expires) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING",
                Token.hash(of: id + " " + own), token.expires + rules.leeway) == 1
        }
        guard isNew else { throw OAuthError(.invalidClient, "The assertion was used before.") }
        return client
    }
}
