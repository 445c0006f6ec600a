import Audit
import Base
import Foundation
import Storage
import Testing
import Trust

@testable import Access
@testable import SignIn

/// A tenant with people whose passwords were right already.
struct FactorFixture: Sendable {
    struct Mail: Sendable, Equatable {
        var to: String
        var subject: String
        var text: String
    }

    struct TextMessage: Sendable, Equatable {
        var to: String
        var text: String
    }

    let world: AccessFixture
    let signIn: SignIn
    let factors: Factors
    let mails: AccessFixture.Recorded<Mail>
    let texts: AccessFixture.Recorded<TextMessage>
    let ada: Account
    let bob: Account

    static let password = "correct horse battery"
    static let origin = Origin(address: "192.0.2.7", userAgent: "test")

    static func with(
        _ engine: TestDatabase.Engine, _ body: (FactorFixture) async throws -> Void
    ) async throws {
        try await AccessFixture.with(
            engine, with: [SignInSchema.part, FactorSchema.part], sealing: FactorSchema.sealedColumns
        ) { world in
            try await body(try await FactorFixture(world))
        }
    }

    private init(_ world: AccessFixture) async throws {
        self.world = world
        let mails = AccessFixture.Recorded<Mail>()
        self.mails = mails
        signIn = SignIn(
            database: world.database, access: world.access, audit: world.audit,
            hashing: PasswordHashing(cost: PasswordCost(memory: 64, passes: 1)), clock: world.time.clock,
            place: { _ in "https://fleet.example.com" },
            send: { note, _, _ in
                mails.add(Mail(to: note.to.text, subject: note.subject, text: note.text))
                return true
            })
        let texts = AccessFixture.Recorded<TextMessage>()
        self.texts = texts
        factors = Factors(
            signIn: signIn, keyRing: world.keyRing,
            party: RelyingParty(
                try #require(DeploymentName("fleet.example.com")), places: ["https://fleet.example.com"]),
            text: { number, text, _, _ in
                texts.add(TextMessage(to: number.text, text: text))
                return true
            })
        ada = try await Self.account("ada", of: world.acme, world)
        bob = try await Self.account("bob", of: world.acme, world)
        let hash = try await signIn.hashing.hash(Password(Self.password))
        try await world.database.platform.write { [ada, bob] tx in
            for account in [ada, bob] {
                try AccountRow.setPassword(hash, at: world.time.now, of: account, in: tx)
            }
        }
    }

    static func account(_ name: String, of tenant: Tenant, _ world: AccessFixture) async throws -> Account {
        let info = try await world.access.createPrincipal(
            try #require(Name(name)), kind: .user, tenant: tenant.id, by: AccessFixture.local)
        let account = Account(
            tenant: tenant.id, principal: info.id, address: try #require(MailAddress("\(name)@x.example")), name: name,
            status: .active, hasPassword: true, mustChangePassword: false, addressRanges: [], created: world.time.now,
            lastSignIn: nil)
        try await world.database.platform.write { try AccountRow.insert(account, in: $0) }
        return account
    }

    /// Somebody whose password was right a moment ago.
    func pending(_ account: Account, from origin: Origin = origin) async throws -> PendingSecret {
        try await world.database.platform.write { try signIn.wait(account, from: origin, in: $0) }
    }

    func demand(_ account: Account, _ pending: PendingSecret? = nil) async throws -> FactorDemand {
        try await world.database.platform.read { tx in
            let satisfied = try pending.map { try signIn.pending($0, from: Self.origin, in: tx).satisfied } ?? []
            return try factors.rule.demand(of: account, satisfied: satisfied, in: tx)
        }
    }

    func setLevel(_ level: FactorLevel) async throws {
        try await world.database.platform.write {
            try FactorPolicyRow.set(level, role: FactorPolicyRow.everybody, tenant: world.acme.id, in: $0)
        }
    }

    /// A session that was opened just now.
    func session(_ account: Account) async throws -> Principal {
        let now = world.time.now
        let secret = try await world.database.platform.write { tx in
            let opened = try world.access.open(
                CredentialDraft(.session, of: account.principal, tenant: account.tenant, name: "browser"), in: tx)
            try tx.scoped(to: account.tenant).execute(
                """
                INSERT INTO sign_in_session (tenant, credential, principal, factors, opened, proved)
                VALUES ($1, $2, $3, '', $4, $5)
                """, opened.info.id, account.principal, now, now)
            return opened.secret.text
        }
        return try await world.access.authenticate(session: secret, address: "192.0.2.7")
    }

    /// The refusal of an act, or nil when it was done.
    func refusal<Value: Sendable>(_ act: @Sendable () async throws -> Value) async throws -> Refusal? {
        do {
            _ = try await act()
            return nil
        } catch let refusal as Refusal {
            return refusal
        }
    }

    /// The refusal of a proof, or nil when it counts.
    func refusal(of proof: FactorProof, for subject: FactorSubject) async throws -> Refusal? {
        try await refusal { try await factors.prove(proof, for: subject) }
    }

    /// Somebody whose password was right, from an address.
    func signingIn(_ account: Account, from address: String = "192.0.2.7") async throws -> FactorSubject {
        let origin = Origin(address: address)
        return .signingIn(try await pending(account, from: origin), origin)
    }

    /// The code that a program with this secret shows now, or so many steps away.
    func code(_ secret: String, step offset: Int64 = 0) throws -> String {
        try Self.code(secret, at: world.time.now, step: offset)
    }

    static func code(_ secret: String, at time: Timestamp, step offset: Int64 = 0) throws -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        var (bits, count, bytes) = (UInt64(0), 0, [UInt8]())
        for letter in secret {
            bits = bits << 5 | UInt64(try #require(alphabet.firstIndex(of: letter)))
            count += 5
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(count)))
            }
        }
        return TimeCode.code(bytes, step: TimeCode.step(at: time) + offset)
    }

    /// An authenticator program that is set up, and its recovery codes.
    func authenticator(_ account: Account) async throws -> (secret: String, factor: Factor, codes: [String]) {
        let session = try await session(account)
        let enrolment = try await factors.enrolAuthenticator(for: .signedIn(session))
        let confirmation = try await factors.confirmAuthenticator(
            enrolment.id, code: try code(enrolment.secret), for: .signedIn(session))
        world.time.advance(by: .seconds(60))
        return (enrolment.secret, confirmation.factor, confirmation.recoveryCodes)
    }
}
