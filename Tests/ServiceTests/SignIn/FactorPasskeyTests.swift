import Audit
import Base
import Crypto
import Storage
import Testing

@testable import Access
@testable import SignIn

@Suite("passkeys")
struct FactorPasskeyTests {
    static let wrong = Refusal(.forbidden, "factor.wrong", "")
    static let refused = Refusal(.unauthenticated, "signin.passkey", "")
    static let elsewhere = Refusal(.forbidden, "passkey.origin", "")

    static let keys: [@Sendable () -> SoftAuthenticator.Key] = [
        { .es256(P256.Signing.PrivateKey()) }, { .edDSA(Curve25519.Signing.PrivateKey()) },
    ]

    @Test("a passkey is the second factor, and signs in alone without an address", arguments: TestDatabase.engines)
    func ways(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            for (number, key) in Self.keys.enumerated() {
                let account = try await FactorFixture.account("user-\(number)", of: world.world.acme, world.world)
                let (authenticator, factor) = try await world.passkey(account, SoftAuthenticator(key: key()))
                #expect(factor.method == .passkey)
                let pending = try await world.pending(account)
                let subject = FactorSubject.signingIn(pending, FactorFixture.origin)
                #expect(try await world.demand(account) == .factor([.passkey, .recovery]))
                let options = try await world.factors.passkeyRequest(for: subject)
                #expect(
                    options["allowCredentials"] == [
                        [
                            "type": "public-key", "id": .string(authenticator.id.base64URL), "transports": ["internal"],
                        ]
                    ])
                try await world.factors.prove(.passkey(PasskeyAnswer(authenticator.get(options))), for: subject)
                #expect(try await world.demand(account, pending) == .none)
                let alone = try await world.factors.passkeyRequest()
                let secret = try await world.factors.begin(
                    passkey: PasskeyAnswer(authenticator.get(alone)), from: FactorFixture.origin)
                let waiting = try await world.world.database.platform.read {
                    try world.signIn.pending(secret, from: FactorFixture.origin, in: $0)
                }
                #expect(waiting.account.principal == account.principal && waiting.satisfied == [.passkey])
            }
        }
    }

    /// One way in which an assertion can be wrong.
    struct Forgery: Sendable, CustomTestStringConvertible {
        var name: String
        var reason: PasskeyFault
        var forge: @Sendable (inout SoftAuthenticator) -> Void
        var testDescription: String { name }
    }

    static let forgeries = [
        Forgery(name: "other ceremony", reason: .ceremony) { $0.client["type"] = "webauthn.create" },
        Forgery(name: "http", reason: .origin) { $0.origin = "http://fleet.example.com" },
        Forgery(name: "other port", reason: .origin) { $0.origin = "https://fleet.example.com:9443" },
        Forgery(name: "subdomain", reason: .origin) { $0.origin = "https://a.fleet.example.com" },
        Forgery(name: "phishing site", reason: .origin) { $0.origin = "https://fleet.example.com.evil.example" },
        Forgery(name: "framed", reason: .crossOrigin) { $0.client["crossOrigin"] = true },
        Forgery(name: "top origin", reason: .crossOrigin) { $0.client["topOrigin"] = "https://evil.example" },
        Forgery(name: "no challenge", reason: .challenge) { $0.client["challenge"] = "" },
        Forgery(name: "own challenge", reason: .challenge) {
            $0.client["challenge"] = .string([UInt8](repeating: 7, count: 100).base64URL)
        },
        Forgery(name: "other relying party", reason: .relyingParty) { $0.relyingParty = "evil.example" },
        Forgery(name: "nobody present", reason: .notPresent) { $0.flags = 0x04 },
        Forgery(name: "backed up though it can not be", reason: .flags) { $0.flags = 0x15 },
        Forgery(name: "can be backed up all at once", reason: .flags) { $0.flags = 0x0D },
        Forgery(name: "data cut off", reason: .authenticatorData) { $0.change = { Array($0.dropLast()) } },
        Forgery(name: "data with more behind", reason: .authenticatorData) { $0.change = { $0 + [0] } },
        Forgery(name: "extensions promised", reason: .authenticatorData) { $0.flags = 0x85 },
        Forgery(name: "flipped bit in the signature", reason: .signature) {
            $0.changeSignature = { $0.dropLast() + [($0.last ?? 0) ^ 1] }
        },
        Forgery(name: "empty signature", reason: .signature) { $0.changeSignature = { _ in [] } },
        Forgery(name: "raw signature instead of DER", reason: .signature) {
            $0.changeSignature = {
                (try? P256.Signing.ECDSASignature(derRepresentation: $0)).map { Array($0.rawRepresentation) } ?? []
            }
        },
        Forgery(name: "another key", reason: .signature) { $0.key = .es256(P256.Signing.PrivateKey()) },
        Forgery(name: "another sort of key", reason: .signature) { $0.key = .edDSA(Curve25519.Signing.PrivateKey()) },
        Forgery(name: "unknown passkey", reason: .credential) { $0.id[0] ^= 1 },
        Forgery(name: "count stands still", reason: .counter) { $0.count = 5 },
        Forgery(name: "count goes back", reason: .counter) { $0.count = 4 },
        Forgery(name: "count begins anew", reason: .counter) { $0.count = 0 },
    ]

    @Test("a forged assertion counts for nothing, and the log says why", arguments: TestDatabase.engines)
    func forged(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let (honest, _) = try await world.passkey(world.ada, SoftAuthenticator(count: 5))
            for forgery in Self.forgeries {
                // Entries of one moment have no order.
                world.world.time.advance(by: .milliseconds(2))
                var authenticator = honest
                authenticator.count = 6
                forgery.forge(&authenticator)
                let pending = try await world.pending(world.ada)
                let subject = FactorSubject.signingIn(pending, FactorFixture.origin)
                let answer = try PasskeyAnswer(authenticator.get(try await world.factors.passkeyRequest(for: subject)))
                let expected = forgery.reason == .origin ? Self.elsewhere : Self.wrong
                #expect(
                    try await world.refusal(of: .passkey(answer), for: subject) == expected,
                    "\(forgery.name)")
                #expect(try await world.demand(world.ada, pending) != .none)
                let code = forgery.reason == .counter ? "factor.passkey.copied" : "factor.failed"
                let entry = try #require(try await world.world.log(code, of: world.world.acme.id).first)
                #expect(entry.details["reason"] == .string(forgery.reason.rawValue), "\(forgery.name)")
                // The same where no address was typed.
                let alone = try PasskeyAnswer(authenticator.get(try await world.factors.passkeyRequest()))
                #expect(
                    try await world.refusal {
                        try await world.factors.begin(passkey: alone, from: FactorFixture.origin)
                    }
                        == (forgery.reason == .origin ? Self.elsewhere : Self.refused), "\(forgery.name)")
            }
            // None of that has hurt the honest one.
            var authenticator = honest
            authenticator.count = 6
            let subject = FactorSubject.signingIn(try await world.pending(world.ada), FactorFixture.origin)
            let answer = try authenticator.get(try await world.factors.passkeyRequest(for: subject))
            try await world.factors.prove(.passkey(PasskeyAnswer(answer)), for: subject)
            #expect(world.mails.all.contains { $0.subject.contains("copied") })
        }
    }

    @Test("an answer counts once, in time, for its own purpose and session", arguments: TestDatabase.engines)
    func replayed(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let (ada, _) = try await world.passkey(world.ada)
            let (bob, _) = try await world.passkey(world.bob)
            let pending = FactorSubject.signingIn(try await world.pending(world.ada), FactorFixture.origin)
            let second = FactorSubject.signingIn(try await world.pending(world.ada), FactorFixture.origin)
            func prove(_ answer: JSONValue, _ subject: FactorSubject) async throws -> Refusal? {
                try await world.refusal(of: .passkey(PasskeyAnswer(answer)), for: subject)
            }
            let answer = try ada.get(try await world.factors.passkeyRequest(for: pending))
            // Somebody else's sign-in, a session, a sign-in without address: all began another ceremony.
            #expect(try await prove(answer, second) == Self.wrong)
            let session = FactorSubject.signedIn(try await world.session(world.ada))
            #expect(
                try await prove(try ada.get(try await world.factors.passkeyRequest(for: session)), pending)
                    == Self.wrong)
            #expect(try await prove(try ada.get(try await world.factors.passkeyRequest()), pending) == Self.wrong)
            #expect(
                try await prove(try ada.get(try await world.factors.beginPasskey(for: session)), session) == Self.wrong)
            let own = try ada.get(try await world.factors.passkeyRequest(for: pending))
            #expect(
                try await world.refusal {
                    try await world.factors.begin(passkey: PasskeyAnswer(own), from: FactorFixture.origin)
                } == Self.refused)
            // Another's passkey is none of one's own.
            let others = FactorSubject.signingIn(try await world.pending(world.ada), FactorFixture.origin)
            #expect(
                try await prove(try bob.get(try await world.factors.passkeyRequest(for: others)), others) == Self.wrong)
            let fresh = try ada.get(try await world.factors.passkeyRequest(for: second))
            #expect(try await prove(fresh, second) == nil)
            #expect(try await prove(fresh, second) == Self.wrong)
            let late = try ada.get(try await world.factors.passkeyRequest(for: second))
            world.world.time.advance(by: .seconds(SignInLimits.ceremonyMinutes * 60))
            #expect(try await prove(late, second) == Self.wrong)
            // Entries of one moment have no order.
            let reasons = try await world.world.log("factor.failed", of: world.world.acme.id).compactMap {
                $0.details["reason"]?.string
            }
            #expect(
                reasons.sorted() == [
                    "challenge", "challenge", "challenge", "challenge", "expired", "replayed", "userHandle",
                ])
        }
    }

    @Test("signing in alone needs the authenticator's own check and a working account", arguments: TestDatabase.engines)
    func alone(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let (honest, _) = try await world.passkey(world.ada)
            func begin(_ authenticator: SoftAuthenticator, _ origin: Origin = FactorFixture.origin) async throws
                -> Refusal?
            {
                let answer = try PasskeyAnswer(authenticator.get(try await world.factors.passkeyRequest()))
                return try await world.refusal { try await world.factors.begin(passkey: answer, from: origin) }
            }
            var unverified = honest
            unverified.flags = 0x01
            #expect(try await begin(unverified) == Self.refused)
            for handle in [nil, [], Array(repeating: 1, count: 32), FactorFixture.handle(world.bob)] as [[UInt8]?] {
                var authenticator = honest
                authenticator.userHandle = handle
                #expect(try await begin(authenticator) == Self.refused)
            }
            // The staff's listener knows no people of tenants.
            #expect(try await begin(honest, Origin(address: "192.0.2.7", realm: .platform)) == Self.refused)
            #expect(try await begin(honest) == nil)
            _ = try await world.world.access.setActive(
                false, principal: "ada", tenant: world.world.acme.id, by: AccessFixture.local)
            #expect(try await begin(honest) == Self.refused)
        }
    }

    /// One way in which a registration can be wrong.
    static let registrations = [
        Forgery(name: "other ceremony", reason: .ceremony) { $0.client["type"] = "webauthn.get" },
        Forgery(name: "other origin", reason: .origin) { $0.origin = "https://evil.example" },
        Forgery(name: "framed", reason: .crossOrigin) { $0.client["crossOrigin"] = true },
        Forgery(name: "other relying party", reason: .relyingParty) { $0.relyingParty = "evil.example" },
        Forgery(name: "nobody present", reason: .notPresent) { $0.flags = 0x04 },
        Forgery(name: "none with a statement", reason: .attestation) {
            $0.attestation = .map([.init(.text("sig"), .bytes([1]))])
        },
        Forgery(name: "statement that is no map", reason: .attestation) { $0.attestation = .array([]) },
        Forgery(name: "data cut off", reason: .authenticatorData) { $0.change = { Array($0.dropLast()) } },
        Forgery(name: "without a credential", reason: .authenticatorData) {
            $0.change = { Array($0.prefix(32)) + [0x05] + Array($0[33..<37]) }
        },
        Forgery(name: "too long a name", reason: .authenticatorData) {
            $0.change = { Array($0.prefix(53)) + [0xFF, 0xFF] + Array($0.dropFirst(55)) }
        },
        Forgery(name: "point off the curve", reason: .key) {
            $0.change = { $0.dropLast() + [($0.last ?? 0) ^ 1] }
        },
    ]

    @Test("a forged registration makes no passkey", arguments: TestDatabase.engines)
    func registration(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            let principal = try await world.session(world.ada)
            let subject = FactorSubject.signedIn(principal)
            func finish(_ answer: JSONValue, _ subject: FactorSubject) async throws -> Refusal? {
                try await world.refusal {
                    try await world.factors.finishPasskey(PasskeyAnswer(answer), for: subject)
                }
            }
            for forgery in Self.registrations {
                world.world.time.advance(by: .milliseconds(2))
                var authenticator = SoftAuthenticator()
                forgery.forge(&authenticator)
                let answer = try authenticator.create(try await world.factors.beginPasskey(for: subject))
                #expect(
                    try await finish(answer, subject) == (forgery.reason == .origin ? Self.elsewhere : Self.wrong),
                    "\(forgery.name)")
                let entry = try #require(try await world.world.log("factor.failed", of: world.world.acme.id).first)
                #expect(entry.details["reason"] == .string(forgery.reason.rawValue), "\(forgery.name)")
            }
            #expect(try await world.factors.overview(of: principal).factors.isEmpty)
            // A name that the browser gives another than the authenticator.
            var authenticator = SoftAuthenticator()
            guard
                case .object(var members) = try authenticator.create(try await world.factors.beginPasskey(for: subject))
            else { return }
            members["rawId"] = "AAAA"
            let renamed = JSONValue.object(members)
            #expect(try await finish(renamed, subject) == Self.wrong)
            // A challenge for somebody else, and one that was answered.
            let bob = FactorSubject.signedIn(try await world.session(world.bob))
            let answer = try authenticator.create(try await world.factors.beginPasskey(for: subject))
            #expect(try await finish(answer, bob) == Self.wrong)
            let other = try authenticator.create(try await world.factors.beginPasskey(for: subject))
            #expect(try await finish(other, subject) == nil)
            #expect(try await finish(other, subject) == Self.wrong)
            // What is registered is offered for exclusion, and is nobody else's.
            let options = try await world.factors.beginPasskey(for: subject)
            #expect(options["excludeCredentials"]?[0]?["id"] == .string(authenticator.id.base64URL))
            let stolen = try authenticator.create(try await world.factors.beginPasskey(for: bob))
            #expect(try await finish(stolen, bob) == Self.wrong)
            // Other attestations are taken without trust.
            var packed = SoftAuthenticator(
                attestation: .map([.init(.text("alg"), .integer(-7)), .init(.text("sig"), .bytes([1]))]),
                format: "packed")
            let trusted = try packed.create(try await world.factors.beginPasskey(for: subject))
            #expect(try await finish(trusted, subject) == nil)
        }
    }

    @Test("an account has a bounded number, and a fault in the form is told as one", arguments: TestDatabase.engines)
    func bounds(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            for _ in 0..<SignInLimits.passkeys { _ = try await world.passkey(world.ada) }
            #expect(try await world.refusal { try await world.passkey(world.ada) }?.code == "factor.tooMany")
            for json in [[:], ["type": "public-key"], ["type": "public-key", "rawId": "!", "response": [:]]]
                as [JSONValue]
            {
                #expect(throws: Refusal(.invalid, "passkey.form", "")) { try PasskeyAnswer(json) }
            }
        }
    }

    @Test("who is told to set up a factor can make it a passkey at sign-in", arguments: TestDatabase.engines)
    func atSignIn(engine: TestDatabase.Engine) async throws {
        try await FactorFixture.with(engine) { world in
            try await world.setLevel(.passkey)
            let pending = try await world.pending(world.ada)
            let subject = FactorSubject.signingIn(pending, FactorFixture.origin)
            var authenticator = SoftAuthenticator()
            let answer = try authenticator.create(try await world.factors.beginPasskey(for: subject))
            let made = try await world.factors.finishPasskey(PasskeyAnswer(answer), for: subject)
            #expect(made.recoveryCodes.count == 10)
            #expect(try await world.demand(world.ada, pending) == .none)
            #expect(
                try await world.refusal { try await world.factors.beginPasskey(for: subject) }?.code
                    == "factor.signInFirst")
        }
    }
}

extension FactorFixture {
    static func handle(_ account: Account) -> [UInt8] { Factors.handle(of: account) }
}

extension JSONValue {
    fileprivate subscript(index: Int) -> JSONValue? {
        if case .array(let values) = self, values.indices.contains(index) { values[index] } else { nil }
    }
}
