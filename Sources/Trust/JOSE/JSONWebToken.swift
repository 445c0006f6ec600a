public import Base

/// What a signed token must say to count, beside its signature.
public struct TokenRules: Sendable {
    /// The algorithms that count here.
    public var algorithms: Set<SignatureAlgorithm>
    /// Who must have made it.
    public var issuer: String
    /// Of these, one at least must be named as its audience.
    public var audiences: Set<String>
    /// The types that its header may state, in small letters; it may also state none.
    public var types: Set<String>
    /// How far clocks may be apart.
    public var leeway: Duration
    /// How long it may be good for, from now to its end.
    public var longestLife: Duration

    /// A token of this issuer for one of these audiences.
    public init(
        issuer: String, audiences: Set<String>, algorithms: Set<SignatureAlgorithm> = Set(SignatureAlgorithm.allCases),
        types: Set<String> = ["jwt"], leeway: Duration = .seconds(60), longestLife: Duration = .seconds(86_400)
    ) {
        self.issuer = issuer
        self.audiences = audiences
        self.algorithms = algorithms
        self.types = types
        self.leeway = leeway
        self.longestLife = longestLife
    }
}

/// A token that somebody else signed (RFC 7519 in the compact form of RFC 7515), checked to the last claim.
public struct JSONWebToken: Sendable {
    /// Why a token does not count.
    public enum Fault: String, Error, Sendable, CaseIterable {
        /// It is not three parts of base64url, or its header or claims are no JSON object, or it is too long.
        case malformed
        /// It is signed by no algorithm that counts here, or not at all.
        case algorithm
        /// It demands that its reader understands what this one does not.
        case critical
        /// It says to be something else.
        case type
        /// No key, or not exactly one, is the one that it means.
        case key
        /// It was not signed with that key.
        case signature
        /// Somebody else made it, or it does not say who.
        case issuer
        /// It is for somebody else, or does not say for whom.
        case audience
        /// Its time is over, or it does not say when that will be.
        case expired
        /// Its time has not come, or it was made in the future.
        case early
        /// It is good for longer than any such token should be.
        case tooLong
    }

    /// Everything that it claims.
    public let claims: JSONValue
    /// When it ends.
    public let expires: Timestamp

    /// Checks the token in `text` against keys and rules.
    ///
    /// What the header says only chooses among `keys` and the rules' algorithms; addresses and keys in it are not
    /// looked at.
    public init(
        _ text: String, keys: JSONWebKeySet, rules: TokenRules, now: Timestamp
    ) throws(Fault) {
        guard text.utf8.count <= Limits.signedTokenBytes else { throw .malformed }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]), let signature = [UInt8](base64URL: parts[2]) else {
            throw .malformed
        }
        guard let algorithm = header["alg"]?.string.flatMap(SignatureAlgorithm.init(rawValue:)),
            rules.algorithms.contains(algorithm)
        else { throw .algorithm }
        // RFC 7515, section 4.1.11: an extension that is not understood makes the token invalid. None is understood.
        guard header["crit"] == nil, header["b64"] == nil, header["zip"] == nil else { throw .critical }
        if let type = header["typ"] {
            guard let text = type.string?.lowercased(), rules.types.contains(text) else { throw .type }
        }
        if let name = header["kid"], name.string == nil { throw .malformed }
        guard let key = keys.key(named: header["kid"]?.string, for: algorithm) else { throw .key }
        let message = Array("\(parts[0]).\(parts[1])".utf8)
        guard key.isValid(signature, algorithm, for: message) else { throw .signature }
        guard let claims = Self.object(parts[1]) else { throw .malformed }
        expires = try Self.check(claims, rules, now)
        self.claims = claims
    }

    /// Who a token says to be from, before anything of it is checked: good for finding the keys and nothing else.
    public static func unprovenIssuer(_ text: String) -> String? {
        guard text.utf8.count <= Limits.signedTokenBytes else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 3 ? object(parts[1])?["iss"]?.string : nil
    }

    private static func object(_ part: Substring) -> JSONValue? {
        guard let bytes = [UInt8](base64URL: part),
            let value = try? JSONValue(
                parsing: bytes, limits: JSONLimits(bytes: Limits.signedTokenBytes, depth: Limits.signedTokenDepth)),
            case .object = value
        else { return nil }
        return value
    }

    private static func check(_ claims: JSONValue, _ rules: TokenRules, _ now: Timestamp) throws(Fault) -> Timestamp {
        guard claims["iss"]?.string == rules.issuer else { throw .issuer }
        let audiences: [String]
        switch claims["aud"] {
        case .string(let text): audiences = [text]
        case .array(let values):
            audiences = values.compactMap(\.string)
            guard audiences.count == values.count else { throw .audience }
        default: throw .audience
        }
        guard audiences.contains(where: rules.audiences.contains) else { throw .audience }
        guard let expires = Self.time(claims["exp"]), expires + rules.leeway > now else { throw .expired }
        if claims["nbf"] != nil {
            guard let start = Self.time(claims["nbf"]), start - rules.leeway <= now else { throw .early }
        }
        if claims["iat"] != nil {
            guard let made = Self.time(claims["iat"]), made - rules.leeway <= now else { throw .early }
        }
        guard expires - now <= rules.longestLife + rules.leeway else { throw .tooLong }
        return expires
    }

    /// A time in seconds since 1970 (RFC 7519, section 2), which may have a fraction; nil when it is none of ours.
    public static func time(_ value: JSONValue?) -> Timestamp? {
        switch value {
        case .integer(let seconds) where (0...100_000_000_000).contains(seconds):
            Timestamp(microseconds: seconds * 1_000_000)
        case .number(let seconds) where seconds >= 0 && seconds <= 100_000_000_000:
            Timestamp(microseconds: Int64(seconds * 1_000_000))
        default: nil
        }
    }
}
