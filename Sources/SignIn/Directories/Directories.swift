import Access
import Audit
public import Base
import Storage
import Synchronization
public import Trust

/// Signing in with what people have elsewhere: at an OpenID provider, or in an LDAP directory.
///
/// Each tenant has directories of its own, none by default. A directory says who somebody is and to which groups they
/// belong; what that is worth here, the tenant's administrators have said beforehand.
public struct Directories: Sendable {
    let accounts: SignIn
    let database: Database
    let access: Access
    let audit: AuditLog
    let keyRing: KeyRing
    let clock: WallClock
    let ask: Ask
    /// Which addresses a directory server may have.
    let permits: @Sendable (NetworkAddress) -> Bool
    let threads: DirectoryThreads
    let providers: Providers
    let tests = TestsUnderWay()
    /// Waits for so long.
    let pause: @Sendable (Duration) async throws -> Void

    /// Directories for these accounts; nothing outside is asked but through `fetch`, and nowhere that `permits` refuses.
    public init(
        signIn: SignIn, keyRing: KeyRing, fetch: @escaping Fetch,
        permits: @escaping @Sendable (NetworkAddress) -> Bool,
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.pause = pause
        accounts = signIn
        database = signIn.database
        access = signIn.access
        audit = signIn.audit
        clock = signIn.clock
        self.keyRing = keyRing
        let threads = DirectoryThreads()
        let ask: Ask = { request in
            try await threads.run {
                do {
                    return try fetch(request)
                } catch {
                    throw Providers.unreadable("\(error)")
                }
            }
        }
        self.threads = threads
        self.ask = ask
        self.permits = permits
        providers = Providers(ask: ask, clock: signIn.clock)
        addApprovals()
    }

    /// The directories by which people of an organisation can sign in, for the page where they choose; none for an
    /// organisation that there is not.
    public func choices(of organisation: TenantSlug) async throws -> [Directory] {
        guard let tenant = access.directory.tenant(organisation), tenant.status == .active else { return [] }
        return try await database.tenant(tenant.id).read { tx in
            try DirectoryRow.all(of: tenant.id, in: tx).filter(\.isEnabled)
        }
    }

    /// The directory of an organisation by its name, when somebody can sign in by it.
    func enabled(_ name: String, of organisation: TenantSlug) async throws -> Directory? {
        try await choices(of: organisation).first { $0.name.text == name }
    }

    /// The secret that this server has at a directory.
    func secret(of directory: Directory, in tx: Transaction) throws -> String? {
        let row = try tx.scoped(to: directory.tenant).row(
            "SELECT secret FROM directory WHERE tenant = $1 AND id = $2", directory.id)
        guard let sealed = try row?.blobIfAny(0) else { return nil }
        let bytes = try keyRing.open(
            sealed, at: DirectorySchema.secretColumn.place(directory.tenant, row: directory.id), in: tx)
        return String(validating: bytes, as: UTF8.self)
    }

    /// What somebody is told whom a directory would not vouch for, whatever the reason.
    static let refused = Refusal(
        .unauthenticated, "signin.directory",
        "You could not be signed in by this directory. Try again; if it stays so, ask who administers it.")

    /// Removes sign-ins that nobody came back from; call it now and then.
    public func prune() async throws {
        try await database.platform.write { tx in
            try tx.execute("DELETE FROM directory_visit WHERE expires < $1", clock.now)
        }
    }

    /// Removes everything of a deleted tenant.
    public func purge(_ tenant: TenantID) async throws {
        try await database.tenant(tenant).write { tx in
            for table in ["directory_grant", "directory_identity", "directory"] {
                try tx.execute("DELETE FROM \(table) WHERE tenant = $1")
            }
            try tx.execute("DELETE FROM directory_visit WHERE owner = $1")
        }
    }
}
