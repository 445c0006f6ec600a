import Access
import Audit
import Base
import Storage
import Synchronization
import Testing
import Trust

@testable import SignIn

/// Sign-in over the two tenants of an ``AccessFixture``, with a mail server that a test can switch off.
struct SignInFixture: Sendable {
    let world: AccessFixture
    let signIn: SignIn
    let mails = AccessFixture.Recorded<OutboundNote>()
    private let state = State()

    /// An error that sending a tenant's mails meets with.
    struct MailFault: Sendable {
        var tenant: TenantID
        var error: any Error
    }

    /// What a test decides.
    final class State: Sendable {
        private let values = Mutex((hasMail: true, demand: FactorDemand.none, fault: Optional<MailFault>.none))
        var hasMail: Bool {
            get { values.withLock { $0.hasMail } }
            set { values.withLock { $0.hasMail = newValue } }
        }
        /// What goes wrong with mails, and whose.
        var fault: MailFault? {
            get { values.withLock { $0.fault } }
            set { values.withLock { $0.fault = newValue } }
        }
        var demand: FactorDemand {
            get { values.withLock { $0.demand } }
            set { values.withLock { $0.demand = newValue } }
        }
    }

    static let office = Origin(address: "192.0.2.10", userAgent: "Test/1")
    static let elsewhere = Origin(address: "198.51.100.7", userAgent: "Test/2")
    static let good = "correct horse battery"
    static let better = "purple monkey dishwasher"

    static func with(_ engine: TestDatabase.Engine, _ body: (SignInFixture) async throws -> Void) async throws {
        try await AccessFixture.with(engine) { world in
            try await world.database.migrate([
                TrustSchema.part, AuditSchema.part, AccessSchema.part, SignInSchema.part, FactorSchema.part,
            ])
            try await body(SignInFixture(world))
        }
    }

    private init(_ world: AccessFixture) {
        self.world = world
        let (mails, state) = (mails, state)
        signIn = SignIn(
            database: world.database, access: world.access, audit: world.audit,
            hashing: PasswordHashing(cost: PasswordCost(memory: 64, passes: 1)), clock: world.time.clock,
            place: { $0 == .people ? "https://people.example:8443" : "https://staff.example:8446" },
            send: { note, tenant, tx in
                if let fault = state.fault, fault.tenant == tenant { throw fault.error }
                guard state.hasMail else { return false }
                tx.afterCommit { mails.add(note) }
                return true
            },
            demand: { _, satisfied, _ in
                switch state.demand {
                case .factor(let methods) where !satisfied.isDisjoint(with: methods): .none
                case .enrolment where !satisfied.isEmpty: .none
                default: state.demand
                }
            })
    }

    func setFault(_ error: (any Error)?, of tenant: TenantID) {
        state.fault = error.map { MailFault(tenant: tenant, error: $0) }
    }
    func setMail(_ isThere: Bool) { state.hasMail = isThere }
    func setDemand(_ demand: FactorDemand) { state.demand = demand }

    /// The secret in a link's address.
    static func secret(_ url: String) -> String { String(url.split(separator: "=").last ?? "") }

    /// The secret in the last mail.
    func mailedSecret() throws -> String {
        let text = try #require(mails.all.last(where: { $0.text.contains("?link=") })?.text)
        let line = try #require(text.split(separator: "\n").first { $0.contains("?link=") })
        return Self.secret(String(line))
    }

    /// An account that somebody has taken up, with this password.
    func account(
        _ address: String = "ann@example.com", role: String = "admin", of tenant: Tenant? = nil,
        password: String = good
    ) async throws -> Account {
        let tenant = tenant ?? world.acme
        let invitation = try await signIn.invite(
            address, name: "Ann Example", role: role, tenant: tenant.id, by: AccessFixture.local)
        let secret = try invitation.link.map { Self.secret($0.url) } ?? mailedSecret()
        let origin = Origin(address: Self.office.address, realm: Realm(of: tenant.id))
        _ = try await signIn.accept(secret, password: password, from: origin)
        return try await signIn.account(address, tenant: tenant.id, by: AccessFixture.local)
    }

    /// Signs in and answers who it is.
    func enter(
        _ address: String = "ann@example.com", _ password: String = good, organisation: TenantSlug? = nil,
        from origin: Origin = office
    ) async throws -> (secret: String, signedIn: SignedIn) {
        let step = try await signIn.begin(
            address: address, password: password, organisation: organisation, from: origin)
        guard case .done(let secret) = step else { throw Refusal(.invalid, "test.step", "\(step)") }
        return (secret.text, try await signIn.session(secret.text, from: origin))
    }

    /// The refusal of a sign-in.
    func refusal(
        _ address: String, _ password: String, organisation: TenantSlug? = nil, from origin: Origin = office
    ) async -> Refusal? {
        do {
            _ = try await signIn.begin(address: address, password: password, organisation: organisation, from: origin)
            return nil
        } catch {
            return error as? Refusal
        }
    }
}
