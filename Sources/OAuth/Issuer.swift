public import Base

/// The authorization server's name and addresses (RFC 8414).
public struct Issuer: Sendable, Hashable {
    /// The name: an address without a path, such as `https://fleet.example.com:8443`.
    public let name: String
    /// Where programs with a certificate connect, when there is such a listener.
    public let certificateAddress: String?

    /// The server at this address.
    public init(_ name: String, certificateAddress: String? = nil) {
        self.name = name
        self.certificateAddress = certificateAddress
    }

    /// The places of the authorization server below its address.
    public enum Path: String, CaseIterable, Sendable {
        /// Where a person's browser is sent first.
        case authorize = "/oauth/authorize"
        /// Where tokens are given out.
        case token = "/oauth/token"
        /// Where tokens are ended.
        case revoke = "/oauth/revoke"
        /// Where tokens are looked at.
        case introspect = "/oauth/introspect"
        /// Where programs without a browser begin.
        case deviceAuthorization = "/oauth/device_authorization"
        /// Where the keys are.
        case keys = "/oauth/jwks"
        /// What there is (RFC 8414).
        case metadata = "/.well-known/oauth-authorization-server"
        /// The same for OpenID Connect.
        case openID = "/.well-known/openid-configuration"
        /// The console's page where a person lets a program in.
        case consent = "/consent"
        /// The console's page where a person types a program's code.
        case connect = "/connect"
    }

    /// The full address of a place.
    public func address(_ path: Path) -> String { name + path.rawValue }

    /// What assertions may name as their audience.
    var audiences: Set<String> {
        let names = [name] + [certificateAddress].compactMap(\.self)
        return Set(names + names.map { $0 + Path.token.rawValue })
    }

    /// What programs read to find their way (RFC 8414, section 2; OpenID Connect Discovery, section 3).
    public var metadata: JSONValue {
        let methods = JSONValue.array(Client.Method.allCases.flatMap(\.wireNames).map { .string($0) })
        let proofs = JSONValue.array(
            Client.Method.allCases.filter { $0 != .none }.flatMap(\.wireNames).map { .string($0) })
        var members: [String: JSONValue] = [
            "issuer": .string(name),
            "authorization_endpoint": .string(address(.authorize)),
            "token_endpoint": .string(address(.token)),
            "revocation_endpoint": .string(address(.revoke)),
            "introspection_endpoint": .string(address(.introspect)),
            "device_authorization_endpoint": .string(address(.deviceAuthorization)),
            "jwks_uri": .string(address(.keys)),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": .array(Client.Flow.allCases.map { .string($0.wireName) } + ["refresh_token"]),
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_methods_supported": methods,
            "introspection_endpoint_auth_methods_supported": proofs,
            "token_endpoint_auth_signing_alg_values_supported": ["ES256", "ES384", "RS256", "PS256", "EdDSA"],
            "scopes_supported": .array(Scope.all.map { .string($0) }),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "name", "tenant"],
            "authorization_response_iss_parameter_supported": true,
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
        ]
        if let certificateAddress {
            members["mtls_endpoint_aliases"] = .object(
                Dictionary(
                    uniqueKeysWithValues: [
                        ("token_endpoint", Path.token), ("revocation_endpoint", .revoke),
                        ("introspection_endpoint", .introspect),
                    ].map { ($0, .string(certificateAddress + $1.rawValue)) }))
        }
        return .object(members)
    }
}
