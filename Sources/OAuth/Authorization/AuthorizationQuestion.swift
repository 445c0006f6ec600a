import Storage
import Trust

/// What a program asks of a person: to let it act for them, within a scope.
public struct AuthorizationQuestion: Sendable {
    /// The program.
    public let client: Client
    /// What it wants.
    public let scope: Scope
    /// Where the answer goes.
    public let redirect: RedirectURI
    let state: String?
    let challenge: String
    let nonce: String?

    /// The host to which the person's browser will be sent, for them to see.
    public var destination: String {
        redirect.text.drop { $0 != ":" }.dropFirst().drop { $0 == "/" }.prefix { $0 != "/" && $0 != "?" }.description
    }
}

/// How a request for an authorization is to be met.
public enum AuthorizationStep: Sendable {
    /// Ask the person.
    case ask(AuthorizationQuestion)
    /// Send the browser to this address, which tells the program what is wrong.
    case answer(String)
}

extension OAuth {
    /// Reads a request for an authorization from the query that a browser brought.
    ///
    /// Throws what must be shown to the person and sent to nobody: that the client is unknown, or that the address is
    /// not one of its own. Everything else is the program's to hear.
    public func question(_ query: String) async throws -> AuthorizationStep {
        guard let values = FormText.values(query) else {
            throw OAuthError(.invalidRequest, "The request is badly encoded, or says something twice.")
        }
        let client = try await database.platform.read { try findClient(values["client_id"] ?? "", in: $0) }
        guard let client else { throw OAuthError(.invalidClient, "There is no such client.") }
        guard let redirect = values["redirect_uri"].flatMap({ RedirectURI($0) }),
            client.redirects.contains(where: { $0.allows(redirect) })
        else {
            throw OAuthError(.invalidRequest, "The redirect_uri is not one that is registered for this client.")
        }
        do throws(OAuthError) {
            return .ask(try Self.question(values, client, redirect))
        } catch {
            return .answer(answer(redirect, values["state"], error))
        }
    }

    private static func question(
        _ values: [String: String], _ client: Client, _ redirect: RedirectURI
    ) throws(OAuthError) -> AuthorizationQuestion {
        guard client.flows.contains(.code) else {
            throw OAuthError(.unauthorizedClient, "The client is not registered for this flow.")
        }
        if values["request"] != nil { throw OAuthError(.requestNotSupported, "Send the values themselves.") }
        if values["request_uri"] != nil { throw OAuthError(.requestURINotSupported, "Send the values themselves.") }
        guard values["response_type"] == "code", values["response_mode"] ?? "query" == "query" else {
            throw OAuthError(.unsupportedResponseType, "Only response_type=code by query is given.")
        }
        guard let challenge = values["code_challenge"], values["code_challenge_method"] == ProofKey.method,
            ProofKey.isChallenge(challenge)
        else {
            throw OAuthError(.invalidRequest, "A code_challenge by the method S256 (RFC 7636) must be there.")
        }
        guard [values["state"], values["nonce"]].allSatisfy({ $0?.utf8.count ?? 0 <= OAuthLimits.echoedBytes }) else {
            throw OAuthError(.invalidRequest, "state or nonce is too long.")
        }
        if values["prompt"]?.split(separator: " ").contains("none") ?? false {
            throw OAuthError(.consentRequired, "The person is always asked.")
        }
        return AuthorizationQuestion(
            client: client, scope: try Scope(asked: values["scope"], within: client.permissions), redirect: redirect,
            state: values["state"], challenge: challenge, nonce: values["nonce"])
    }

    private func answer(_ redirect: RedirectURI, _ state: String?, _ error: OAuthError) -> String {
        redirect.adding([
            "error": error.code.rawValue, "error_description": error.sentence, "state": state, "iss": issuer.name,
        ])
    }
}
