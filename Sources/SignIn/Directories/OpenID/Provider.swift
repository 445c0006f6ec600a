import Base
import Synchronization
import Trust

/// What an OpenID provider publishes about itself.
struct Provider: Sendable {
    let authorization: String
    let token: String
    let keysAddress: String
    /// Whether it names itself in its answers (RFC 9207).
    let namesItself: Bool
    /// Whether it takes the secret in the form only.
    let takesSecretInForm: Bool
    let fetched: Timestamp

    /// Reads a document of OpenID Connect Discovery that must be this issuer's.
    init?(_ json: JSONValue, of issuer: String, now: Timestamp) {
        guard json["issuer"]?.string == issuer,
            let authorization = json["authorization_endpoint"]?.string, Self.isAddress(authorization, withQuery: true),
            let token = json["token_endpoint"]?.string, Self.isAddress(token, withQuery: true),
            let keys = json["jwks_uri"]?.string, Self.isAddress(keys, withQuery: true)
        else { return nil }
        self.authorization = authorization
        self.token = token
        keysAddress = keys
        namesItself = json["authorization_response_iss_parameter_supported"] == true
        if case .array(let methods) = json["token_endpoint_auth_methods_supported"] {
            takesSecretInForm = !methods.contains("client_secret_basic") && methods.contains("client_secret_post")
        } else {
            takesSecretInForm = false
        }
        fetched = now
    }

    /// Whether this is an https address of printable characters without a user or fragment.
    static func isAddress(_ text: String, withQuery: Bool = false) -> Bool {
        guard text.hasPrefix("https://"), text.utf8.count <= DirectoryLimits.textBytes,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"\"<>\\^`{|}#".utf8.contains($0) }),
            withQuery || !text.contains("?")
        else { return false }
        let authority = text.dropFirst(8).prefix { $0 != "/" && $0 != "?" }
        return !authority.isEmpty && !authority.contains("@")
    }
}

/// The providers' documents and keys, remembered for a while.
final class Providers: Sendable {
    /// Where a document comes from, and by whose word: what one tenant's authorities vouch for is not another's.
    private struct Source: Hashable {
        let issuer: String
        let authorities: String?

        init(_ settings: OpenIDSettings) {
            (issuer, authorities) = (settings.issuer, settings.authorities)
        }
    }

    private struct State {
        var providers: [Source: Provider] = [:]
        var keys: [Source: (set: JSONWebKeySet, fetched: Timestamp)] = [:]
    }

    private let state = Mutex(State())
    private let ask: Ask
    private let clock: WallClock

    init(ask: @escaping Ask, clock: WallClock) {
        self.ask = ask
        self.clock = clock
    }

    /// What a provider says of itself; `again` asks it anew.
    func provider(_ settings: OpenIDSettings, again: Bool = false) async throws -> Provider {
        let now = clock.now
        if !again, let known = state.withLock({ $0.providers[Source(settings)] }),
            now - known.fetched < DirectoryLimits.documentLife
        {
            return known
        }
        let base = settings.issuer.hasSuffix("/") ? String(settings.issuer.dropLast()) : settings.issuer
        let json = try await document(base + "/.well-known/openid-configuration", settings)
        guard let provider = Provider(json, of: settings.issuer, now: now) else {
            throw Self.unreadable("the provider's document is not this issuer's, or lacks an address")
        }
        state.withLock { state in
            if state.providers.count >= DirectoryLimits.rememberedProviders { state = State() }
            state.providers[Source(settings)] = provider
        }
        return provider
    }

    /// The provider's keys; `again` asks for them anew because one was not known, though not too often.
    func keys(_ settings: OpenIDSettings, _ provider: Provider, again: Bool = false) async throws -> JSONWebKeySet {
        let now = clock.now
        let life = again ? DirectoryLimits.keysAgain : DirectoryLimits.documentLife
        if let known = state.withLock({ $0.keys[Source(settings)] }), now - known.fetched < life { return known.set }
        guard let set = JSONWebKeySet(try await document(provider.keysAddress, settings)) else {
            throw Self.unreadable("the provider's keys are no key set")
        }
        state.withLock { $0.keys[Source(settings)] = (set, now) }
        return set
    }

    private func document(_ address: String, _ settings: OpenIDSettings) async throws -> JSONValue {
        let answer = try await ask(
            FetchRequest(
                method: "GET", address: address, headers: ["Accept: application/json"], body: [],
                authorities: settings.authorities, mostBytes: DirectoryLimits.documentBytes))
        guard answer.status == 200 else { throw Self.unreadable("HTTP \(answer.status)") }
        return try Self.json(answer.body)
    }

    static func json(_ body: [UInt8]) throws -> JSONValue {
        do {
            return try JSONValue(parsing: body, limits: JSONLimits(bytes: DirectoryLimits.documentBytes, depth: 16))
        } catch { throw unreadable("the answer is no JSON") }
    }

    static func unreadable(_ detail: String) -> Refusal {
        Refusal(
            .unavailable, "directory.unavailable", "The directory can not be asked just now. Try again later.",
            detail: detail)
    }
}
