import Base
import Crypto
import CryptoExtras
import Foundation
import Testing

@testable import Trust

@Suite("tokens that others signed")
struct JSONWebTokenTests {
    static let now = Timestamp(microseconds: 1_790_000_000_000_000)
    static let rules = TokenRules(issuer: "https://issuer.example", audiences: ["client-1"])
    static let signer = TokenSigner()
    static let rsa = try? _RSA.Signing.PrivateKey(keySize: .bits2048)
    static let ed = Curve25519.Signing.PrivateKey()
    static let p384 = P384.Signing.PrivateKey()

    static let claims: [String: JSONValue] = [
        "iss": "https://issuer.example", "aud": "client-1", "sub": "ada", "iat": 1_789_999_990, "exp": 1_790_000_300,
    ]

    static var keys: JSONWebKeySet {
        get throws { try #require(JSONWebKeySet(["keys": [signer.publicKey]])) }
    }

    static func part(_ json: JSONValue) -> String { Array(json.canonical.utf8).base64URL }

    /// A token with any header and claims, signed truly with the ES256 key.
    static func signed(_ header: JSONValue, _ claims: JSONValue = .object(claims)) throws -> String {
        let message = part(header) + "." + part(claims)
        let key = try P256.Signing.PrivateKey(rawRepresentation: signer.privateBytes)
        return message + "." + Array(try key.signature(for: Array(message.utf8)).rawRepresentation).base64URL
    }

    static func fault(
        _ text: String, keys: JSONWebKeySet? = nil, rules: TokenRules = rules
    ) throws -> JSONWebToken.Fault? {
        let keys = try keys ?? self.keys
        do throws(JSONWebToken.Fault) {
            _ = try JSONWebToken(text, keys: keys, rules: rules, now: now)
            return nil
        } catch { return error }
    }

    @Test("a good token gives its claims")
    func good() throws {
        let token = try JSONWebToken(
            Self.signer.sign(.object(Self.claims)), keys: Self.keys, rules: Self.rules, now: Self.now)
        #expect(token.claims["sub"] == "ada")
        #expect(token.expires == Timestamp(microseconds: 1_790_000_300_000_000))
        // Without a name the only key that fits is meant.
        #expect(try Self.fault(Self.signed(["alg": "ES256"])) == nil)
        var several = Self.claims
        several["aud"] = ["other", "client-1"]
        #expect(try Self.fault(Self.signer.sign(.object(several))) == nil)
    }

    @Test(
        "a header that means mischief is refused before any key is tried, though the signature is true",
        arguments: [
            (["alg": "none"], .algorithm), (["alg": "None"], .algorithm), (["alg": "HS256"], .algorithm),
            (["alg": "es256"], .algorithm), (["alg": 256], .algorithm), ([:], .algorithm),
            (["alg": "ES256", "crit": ["exp"]], .critical), (["alg": "ES256", "crit": []], .critical),
            (["alg": "ES256", "crit": ["b64"], "b64": false], .critical), (["alg": "ES256", "zip": "DEF"], .critical),
            (["alg": "ES256", "kid": "another"], .key), (["alg": "ES256", "kid": ""], .key),
            (["alg": "ES256", "kid": 1], .malformed), (["alg": "ES256", "kid": "../../keys/null"], .key),
            (["alg": "RS256"], .key), (["alg": "ES384"], .key), (["alg": "EdDSA"], .key),
            (["alg": "ES256", "typ": "at+jwt"], .type), (["alg": "ES256", "typ": 1], .type),
            ("ES256", .malformed), (["a"], .malformed),
        ] as [(JSONValue, JSONWebToken.Fault)])
    func headers(header: JSONValue, fault: JSONWebToken.Fault) throws {
        #expect(try Self.fault(Self.signed(header)) == fault)
    }

    @Test("keys and addresses in the header are not looked at")
    func ownKey() throws {
        let mallory = TokenSigner()
        let header: JSONValue = [
            "alg": "ES256", "jwk": mallory.publicKey, "jku": "https://mallory.example/keys", "x5u": "https://m.example",
        ]
        let message = Self.part(header) + "." + Self.part(.object(Self.claims))
        let key = try P256.Signing.PrivateKey(rawRepresentation: mallory.privateBytes)
        let text = message + "." + Array(try key.signature(for: Array(message.utf8)).rawRepresentation).base64URL
        #expect(try Self.fault(text) == .signature)
    }

    @Test("the public key used as a shared secret opens nothing")
    func confusion() throws {
        let rsa = try #require(Self.rsa)
        let header: JSONValue = ["alg": "HS256", "kid": "rsa"]
        let message = Self.part(header) + "." + Self.part(.object(Self.claims))
        let mac = HMAC<SHA256>.authenticationCode(
            for: Array(message.utf8), using: SymmetricKey(data: Data(rsa.publicKey.pemRepresentation.utf8)))
        #expect(try Self.fault(message + "." + Array(mac).base64URL, keys: Self.allKeys()) == .algorithm)
    }

    @Test(
        "claims that are wrong, missing or of another type are refused",
        arguments: [
            ("iss", "https://issuer.example/", .issuer), ("iss", nil, .issuer),
            ("iss", ["https://issuer.example"], .issuer),
            ("aud", "client-2", .audience), ("aud", nil, .audience), ("aud", [], .audience),
            ("aud", ["client-1", 7], .audience), ("aud", ["client-2"], .audience), ("aud", true, .audience),
            ("exp", 1_789_999_939, .expired), ("exp", nil, .expired), ("exp", "1790000300", .expired),
            ("exp", -1, .expired), ("exp", .number(1e300), .expired), ("exp", 1_790_100_000, .tooLong),
            ("nbf", 1_790_000_061, .early), ("nbf", "now", .early), ("iat", 1_790_000_061, .early),
            ("iat", .null, .early),
        ] as [(String, JSONValue?, JSONWebToken.Fault)])
    func claims(name: String, value: JSONValue?, fault: JSONWebToken.Fault) throws {
        var claims = Self.claims
        claims[name] = value
        #expect(try Self.fault(Self.signer.sign(.object(claims))) == fault)
    }

    @Test("clocks may be a minute apart, and no more")
    func leeway() throws {
        var claims = Self.claims
        claims["exp"] = 1_789_999_941
        #expect(try Self.fault(Self.signer.sign(.object(claims))) == nil)
        claims["exp"] = .number(1_790_000_000.5)
        claims["iat"] = 1_790_000_060
        #expect(try Self.fault(Self.signer.sign(.object(claims))) == nil)
    }

    @Test("text that is not three strict parts is malformed, or its signature is none")
    func forms() throws {
        let good = try Self.signer.sign(.object(Self.claims))
        let parts = good.split(separator: ".").map(String.init)
        for text in [
            "", ".", "..", "...", parts[0], parts[0] + "." + parts[1], good + ".", good + "=", good + "\n", " " + good,
            "x." + parts[1] + "." + parts[2], String(repeating: "A", count: 20_000), "é.é.é",
        ] {
            #expect(try Self.fault(text) == .malformed, "\(text.prefix(40))")
        }
        #expect(try Self.fault(parts[0] + "." + parts[1] + ".") == .signature)
        #expect(try Self.fault(parts[0] + "." + parts[1] + ".AAAA") == .signature)
        #expect(try Self.fault(parts[0] + "." + Self.part(["iss": "x"]) + "." + parts[2]) == .signature)
        // A member that stands twice could be read in two ways.
        let twice = Array(#"{"alg":"ES256","alg":"none"}"#.utf8).base64URL
        #expect(try Self.fault(twice + "." + parts[1] + "." + parts[2]) == .malformed)
        // The claims are read only behind a true signature.
        #expect(try Self.fault(Self.signed(["alg": "ES256"], ["a"])) == .malformed)
        let deep = String(repeating: "[", count: 50) + String(repeating: "]", count: 50)
        let message = Self.part(["alg": "ES256"]) + "." + Array(#"{"a":\#(deep)}"#.utf8).base64URL
        let key = try P256.Signing.PrivateKey(rawRepresentation: Self.signer.privateBytes)
        let signature = Array(try key.signature(for: Array(message.utf8)).rawRepresentation).base64URL
        #expect(try Self.fault(message + "." + signature) == .malformed)
    }

    @Test("every changed character of a token is noticed")
    func changed() throws {
        let good = Array(try Self.signer.sign(.object(Self.claims)).utf8)
        for index in good.indices {
            var bad = good
            bad[index] = bad[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(try Self.fault(String(decoding: bad, as: UTF8.self)) != nil, "\(index)")
        }
    }

    // MARK: - Keys of others

    static func rsaJSON(_ key: _RSA.Signing.PublicKey, id: String) throws -> JSONValue {
        let parts = try key.getKeyPrimitives()
        return [
            "kty": "RSA", "kid": .string(id), "n": .string(Array(parts.modulus).base64URL),
            "e": .string(Array(parts.publicExponent).base64URL),
        ]
    }

    static func allKeys() throws -> JSONWebKeySet {
        let point = Array(p384.publicKey.rawRepresentation)
        let rsa = try rsaJSON(#require(rsa).publicKey, id: "rsa")
        return try #require(
            JSONWebKeySet([
                "keys": [
                    signer.publicKey, rsa,
                    [
                        "kty": "OKP", "crv": "Ed25519", "kid": "ed",
                        "x": .string(Array(ed.publicKey.rawRepresentation).base64URL),
                    ],
                    [
                        "kty": "EC", "crv": "P-384", "kid": "p384", "x": .string(Array(point.prefix(48)).base64URL),
                        "y": .string(Array(point.suffix(48)).base64URL),
                    ],
                    ["kty": "oct", "k": "AAAA", "kid": "shared"], ["kty": "RSA", "n": "!", "e": "AQAB"], "no key",
                ]
            ]))
    }

    @Test(
        "each algorithm verifies with its own key and with no other",
        arguments: ["RS256", "PS256", "EdDSA", "ES384"], ["rsa", "ed", "p384", "shared"])
    func algorithms(algorithm: String, id: String) throws {
        let message =
            Self.part(["alg": .string(algorithm), "kid": .string(id)]) + "." + Self.part(.object(Self.claims))
        let bytes = Array(message.utf8)
        let rsa = try #require(Self.rsa)
        let signature: [UInt8] =
            switch algorithm {
            case "RS256":
                Array(try rsa.signature(for: SHA256.hash(data: bytes), padding: .insecurePKCS1v1_5).rawRepresentation)
            case "PS256": Array(try rsa.signature(for: SHA256.hash(data: bytes), padding: .PSS).rawRepresentation)
            case "EdDSA": Array(try Self.ed.signature(for: bytes))
            default: Array(try Self.p384.signature(for: bytes).rawRepresentation)
            }
        let own = ["RS256": "rsa", "PS256": "rsa", "EdDSA": "ed", "ES384": "p384"][algorithm] == id
        #expect(try Self.fault(message + "." + signature.base64URL, keys: Self.allKeys()) == (own ? nil : .key))
    }

    @Test("a key that says what it is for serves for nothing else")
    func purpose() throws {
        let plain = try Self.rsaJSON(#require(Self.rsa).publicKey, id: "rsa")
        func key(_ name: String, _ value: JSONValue) throws -> JSONWebKey? {
            guard case .object(var members) = plain else { return nil }
            members[name] = value
            return JSONWebKey(.object(members))
        }
        #expect(try key("use", "enc") == nil)
        #expect(try key("alg", "RSA-OAEP") == nil)
        #expect(try key("alg", "PS256")?.fits(.rs256) == false)
        #expect(try key("alg", "PS256")?.fits(.ps256) == true)
        #expect(try key("key_ops", ["sign"]) == nil)
        #expect(try key("n", "AQAB") == nil, "a small key")
        #expect(try key("n", .string(String(repeating: "A", count: 3000))) == nil, "a huge key")
        #expect(JSONWebKey.isSecret(["kty": "EC", "d": "x"]) && !JSONWebKey.isSecret(plain))
        // Two keys of one name: it can not be told which is meant.
        let key = try #require(JSONWebKey(plain))
        #expect(JSONWebKeySet([key, key]).key(named: "rsa", for: .rs256) == nil)
    }

    @Test("a coordinate without its zeros in front, as Authlib writes them, is the same key")
    func shortCoordinates() throws {
        // The y of P-256's private key 43 begins with a zero byte.
        let key = try P256.Signing.PrivateKey(rawRepresentation: [UInt8](repeating: 0, count: 31) + [43])
        let point = Array(key.publicKey.rawRepresentation)
        #expect(point[32] == 0 && point[33] != 0)
        func written(_ x: [UInt8], _ y: [UInt8]) -> JSONWebKey? {
            JSONWebKey(["kty": "EC", "crv": "P-256", "x": .string(x.base64URL), "y": .string(y.base64URL)])
        }
        let signature = Array(try key.signature(for: [1, 2, 3]).rawRepresentation)
        for skipped in [0, 1] {
            let read = try #require(written(Array(point[..<32]), Array(point[(32 + skipped)...])))
            #expect(read.isValid(signature, .es256, for: [1, 2, 3]))
        }
        #expect(written([0] + point[..<32], Array(point[32...])) == nil, "too long")
        #expect(written([], Array(point[32...])) == nil && written(Array(point[..<32]), []) == nil)
    }

    @Test("a key's name is the thumbprint of RFC 7638, and it comes back from its bytes")
    func thumbprint() throws {
        let again = try #require(TokenSigner(privateBytes: Self.signer.privateBytes))
        #expect(again.id == Self.signer.id && [UInt8](base64URL: again.id)?.count == 32)
        #expect(TokenSigner(privateBytes: [1, 2, 3]) == nil)
    }
}

@Suite("proof keys")
struct ProofKeyTests {
    @Test("the vector of RFC 7636 holds")
    func vector() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        #expect(ProofKey.challenge(of: verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
        #expect(ProofKey.matches(verifier, challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"))
        #expect(!ProofKey.matches(verifier, challenge: verifier), "the method plain is not taken")
        #expect(!ProofKey.matches("short", challenge: ProofKey.challenge(of: "short")))
    }

    @Test("what can be a verifier or a challenge")
    func forms() {
        let made = ProofKey.makeVerifier()
        #expect(ProofKey.isVerifier(made) && ProofKey.isChallenge(ProofKey.challenge(of: made)))
        #expect(!ProofKey.isVerifier(String(repeating: "a", count: 42)))
        #expect(!ProofKey.isVerifier(String(repeating: "a", count: 129)))
        #expect(!ProofKey.isVerifier(String(repeating: "ä", count: 43)))
        #expect(!ProofKey.isVerifier(String(repeating: "a", count: 43) + "="))
        #expect(!ProofKey.isChallenge("") && !ProofKey.isChallenge("AAAA"))
    }
}
