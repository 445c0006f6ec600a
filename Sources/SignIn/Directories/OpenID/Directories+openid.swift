import Access
public import Base
import Storage
import Trust

/// A visit at a provider that a browser is sent on.
public struct ProviderVisit: Sendable {
    /// Where to send the browser.
    public let address: String
    /// What ties the visit to this browser: for a cookie of its own, which comes along when the provider sends the
    /// browser back, and lasts ten minutes.
    public let browser: String
}

extension Directories {
    /// The path of the page to which providers send browsers back.
    public static let returnPath = "/sign-in/return"

    /// Begins a sign-in at an OpenID provider.
    public func visit(
        _ directory: String, of organisation: TenantSlug, from origin: Origin
    ) async throws -> ProviderVisit {
        guard let found = try await enabled(directory, of: organisation), case .openID(let settings) = found.means,
            Realm(of: found.tenant) == origin.realm
        else { throw Self.refused }
        try accounts.throttle.charge(origin)
        let provider = try await providers.provider(settings)
        let (state, browser, nonce) = (
            Token.make(kind: "visit"), Token.make(kind: "browser"), Token.make(kind: "nonce")
        )
        let verifier = ProofKey.makeVerifier()
        let now = clock.now
        let hasBegun = try await database.platform.write { tx in
            let open = try tx.row("SELECT count(*) FROM directory_visit WHERE expires > $1", now)?.int(0) ?? 0
            guard open < DirectoryLimits.visits else { return false }
            try tx.execute(
                """
                INSERT INTO directory_visit (hash, browser, owner, directory, nonce, verifier, expires)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                """, state.hash, browser.hash, found.tenant, found.id, nonce.text, verifier,
                now + .seconds(DirectoryLimits.visitMinutes * 60))
            return true
        }
        guard hasBegun else { throw PasswordHashing.busy }
        let query = Self.form([
            ("response_type", "code"), ("client_id", settings.client), ("redirect_uri", returnAddress(origin)),
            ("scope", settings.scope), ("state", state.text), ("nonce", nonce.text),
            ("code_challenge", ProofKey.challenge(of: verifier)), ("code_challenge_method", ProofKey.method),
        ])
        let address = provider.authorization + (provider.authorization.contains("?") ? "&" : "?") + query
        return ProviderVisit(address: address, browser: browser.text)
    }

    /// Goes on with a sign-in when the provider has sent the browser back, with what it added to the address.
    ///
    /// `browser` is what the cookie of the visit holds. Each visit counts once, however it ends.
    public func comeBack(_ values: [String: String], browser: String?, from origin: Origin) async throws -> Step {
        guard let state = values["state"], Token(state)?.kind == "visit", let browser, Token(browser) != nil else {
            noteFailure(nil, origin, "providerState")
            throw Self.refused
        }
        let found = try await database.platform.write { tx -> (Directory, String?, nonce: String, verifier: String)? in
            let row = try tx.row(
                "DELETE FROM directory_visit WHERE hash = $1 RETURNING browser, owner, directory, nonce, verifier, expires",
                Token.hash(of: state))
            guard let row, try row.timestamp(5) > clock.now,
                ConstantTime.equal(try row.blob(0), Token.hash(of: browser)),
                let directory = try DirectoryRow.find(row.identifier(2), of: row.identifier(1), in: tx),
                directory.isEnabled
            else { return nil }
            return (directory, try secret(of: directory, in: tx), try row.text(3), try row.text(4))
        }
        guard let found, case .openID(let settings) = found.0.means else {
            noteFailure(nil, origin, "providerState")
            throw Self.refused
        }
        do {
            let provider = try await providers.provider(settings)
            // RFC 9207: an answer that another provider gave must not reach this one's token endpoint.
            guard values["iss"] == settings.issuer || (values["iss"] == nil && !provider.namesItself),
                let code = values["code"], !code.isEmpty, code.utf8.count <= 4096
            else { throw Self.refused }
            let text = try await exchange(code, found.verifier, settings, provider, secret: found.1, origin)
            let token = try await check(text, settings, provider)
            let step = try await admit(try person(token, settings, nonce: found.nonce), by: found.0, from: origin)
            accounts.throttle.refund(origin)
            return step
        } catch let fault as JSONWebToken.Fault {
            noteFailure(found.0, origin, "providerToken." + fault.rawValue)
            throw Self.refused
        } catch {
            noteFailure(found.0, origin, "provider")
            throw error
        }
    }

    private func returnAddress(_ origin: Origin) -> String { accounts.place(origin.realm) + Self.returnPath }

    /// Exchanges the code for the token that says who it is.
    private func exchange(
        _ code: String, _ verifier: String, _ settings: OpenIDSettings, _ provider: Provider, secret: String?,
        _ origin: Origin
    ) async throws -> String {
        let answer = try await ask(
            Self.exchange(code, verifier, settings, provider, secret: secret, at: returnAddress(origin)))
        guard answer.status == 200, let token = try Providers.json(answer.body)["id_token"]?.string else {
            throw Self.refused
        }
        return token
    }

    /// What asks a provider for the token that a code is worth.
    static func exchange(
        _ code: String, _ verifier: String, _ settings: OpenIDSettings, _ provider: Provider, secret: String?,
        at place: String
    ) -> FetchRequest {
        var form = [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", place),
            ("code_verifier", verifier),
        ]
        var headers = ["Content-Type: application/x-www-form-urlencoded", "Accept: application/json"]
        if let secret, !provider.takesSecretInForm {
            let pair = Array("\(settings.client.percentEncoded):\(secret.percentEncoded)".utf8)
            headers.append("Authorization: Basic " + Self.base64(pair))
        } else {
            form.append(("client_id", settings.client))
            if let secret { form.append(("client_secret", secret)) }
        }
        return FetchRequest(
            method: "POST", address: provider.token, headers: headers, body: Array(Self.form(form).utf8),
            authorities: settings.authorities, mostBytes: DirectoryLimits.documentBytes)
    }

    private func check(_ text: String, _ settings: OpenIDSettings, _ provider: Provider) async throws -> JSONWebToken {
        let rules = TokenRules(issuer: settings.issuer, audiences: [settings.client])
        let now = clock.now
        do {
            let keys = try await providers.keys(settings, provider)
            return try JSONWebToken(text, keys: keys, rules: rules, now: now)
        } catch JSONWebToken.Fault.key {
            // The provider may have a new one.
            let keys = try await providers.keys(settings, provider, again: true)
            return try JSONWebToken(text, keys: keys, rules: rules, now: now)
        }
    }

    private func person(_ token: JSONWebToken, _ settings: OpenIDSettings, nonce: String) throws -> VouchedPerson {
        let claims = token.claims
        guard let subject = claims["sub"]?.string, !subject.isEmpty,
            subject.utf8.count + settings.issuer.utf8.count < DirectoryLimits.subjectBytes,
            let given = claims["nonce"]?.string, ConstantTime.equal(Array(given.utf8), Array(nonce.utf8)),
            claims["iat"] != nil
        else { throw Self.refused }
        // A token for several must say for whom it was made (OpenID Connect Core, section 3.1.3.7).
        if case .array(let audiences) = claims["aud"], audiences.count > 1, claims["azp"] == nil { throw Self.refused }
        if let party = claims["azp"], party.string != settings.client { throw Self.refused }
        var groups: Set<String> = []
        switch claims[settings.groupsClaim] {
        case .array(let values): groups = Set(values.prefix(DirectoryLimits.groups).compactMap(\.string))
        case .string(let value): groups = [value]
        default: break
        }
        let isVerified = claims["email_verified"] == true || claims["email_verified"] == "true"
        return VouchedPerson(
            subject: settings.issuer + " " + subject,
            address: isVerified ? claims["email"]?.string.flatMap { MailAddress($0) } : nil,
            name: claims["name"]?.string, groups: groups)
    }

    // MARK: - Text

    static func form(_ values: [(String, String)]) -> String {
        values.map { $0.0.percentEncoded + "=" + $0.1.percentEncoded }.joined(separator: "&")
    }

    /// Base64 with the standard alphabet and padding, for HTTP Basic.
    static func base64(_ bytes: [UInt8]) -> String {
        let text = bytes.base64URL.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
        return String(text) + String(repeating: "=", count: (4 - text.count % 4) % 4)
    }
}
