public import Base
import Crypto
public import Storage
import Synchronization

/// Seals secrets for the database: seal key → root key → tenant key → one key per column → AES-256-GCM, bound to
/// the place where the value lives.
///
/// No single store holds all keys: the upper two are files, the tenants' keys are rows that only the root key opens,
/// and the columns' keys exist only in memory. Removing a tenant's rows makes everything it sealed unreadable,
/// backups without the key files included.
public final class KeyRing: Sendable {
    private struct State {
        var root: RootKeys
        var tenants: [TenantID: (keys: TenantKeys, loadedAt: Timestamp)] = [:]
        /// Tenants whose keys an open transaction has changed: what is read for them may yet be rolled back, so it
        /// is not kept. The time bounds the mark of a transaction that never committed.
        var unsettled: [TenantID: Timestamp] = [:]
    }

    private let state: Mutex<State>
    private let files: KeyFiles
    let clock: WallClock
    let columns: [SealedColumn]
    /// How long a retired tenant key is kept even when nothing is sealed by it, because another node may still use
    /// it as current.
    let grace: Duration

    /// The key ring whose files are in `directory` (made at the first start), for the sealed columns of all parts.
    ///
    /// It reads and may write files: call it at start-up, not on an event loop.
    public init(
        directory: String, columns: [SealedColumn], clock: WallClock = .system, grace: Duration = .seconds(600)
    ) throws {
        try SecretFile.createDirectory(directory, for: .owner)
        files = KeyFiles(directory: directory)
        state = Mutex(State(root: try files.load()))
        self.clock = clock
        self.columns = columns
        self.grace = grace
    }

    /// Makes the first key of a tenant, in the transaction that makes the tenant.
    public func createTenantKey(_ tenant: TenantID, in transaction: Transaction) throws {
        try addTenantKey(tenant, version: 1, in: transaction)
    }

    /// Destroys a tenant's keys with the commit of this transaction: nothing that it sealed can be opened again.
    public func destroyTenantKeys(_ tenant: TenantID, in transaction: Transaction) throws {
        unsettle(tenant, until: transaction)
        try transaction.scoped(to: tenant).execute("DELETE FROM tenant_key WHERE tenant = $1")
    }

    /// `plaintext` sealed by the current key of the place's tenant, to be stored at that place and nowhere else.
    public func seal(_ plaintext: [UInt8], at place: Place, in transaction: Transaction) throws -> [UInt8] {
        guard plaintext.count <= Limits.sealedBytes else {
            throw Refusal(
                .tooLarge, "trust.sealTooLarge", "A sealed value has at most \(Limits.sealedBytes) bytes.")
        }
        let keys = try keys(of: place.tenant, in: transaction, holding: nil)
        guard let key = keys.byVersion[keys.current] else { throw Self.missing(place.tenant) }
        return try Envelope.seal(
            plaintext, with: key.derived(for: Self.purpose(of: place)), version: keys.current,
            authenticating: place.associatedData(version: keys.current))
    }

    /// The plaintext of what was sealed at this place.
    public func open(_ sealed: [UInt8], at place: Place, in transaction: Transaction) throws -> [UInt8] {
        guard let version = Envelope.version(of: sealed) else { throw Self.broken(place, "not a sealed value") }
        guard let key = try keys(of: place.tenant, in: transaction, holding: version).byVersion[version] else {
            throw Self.broken(place, "key version \(version) is gone")
        }
        guard
            let plaintext = Envelope.open(
                sealed, with: key.derived(for: Self.purpose(of: place)),
                authenticating: place.associatedData(version: version))
        else { throw Self.broken(place, "it was changed, or sealed for another place") }
        return plaintext
    }

    private static func purpose(of place: Place) -> String { "tidegate sealed column \(place.table).\(place.column)" }

    private static func missing(_ tenant: TenantID) -> Refusal {
        Refusal(
            .unavailable, "trust.tenantKeyMissing", "The tenant's keys have been destroyed.",
            detail: "no key of tenant \(tenant)")
    }

    private static func broken(_ place: Place, _ why: String) -> Refusal {
        Refusal(
            .unavailable, "trust.sealBroken", "A stored secret can not be opened.",
            detail: "\(place.table).\(place.column) of tenant \(place.tenant): \(why)")
    }
}

/// One tenant's unwrapped keys.
struct TenantKeys: Sendable {
    var byVersion: [UInt32: SymmetricKey] = [:]
    var current: UInt32 = 0
}

// MARK: - Tenant keys

extension KeyRing {
    /// Adds a key that becomes current with the commit of `transaction`.
    func addTenantKey(_ tenant: TenantID, version: UInt32, in transaction: Transaction) throws {
        unsettle(tenant, until: transaction)
        let (wrapped, rootVersion) = try wrap(SymmetricKey(size: .bits256), of: tenant, version: version)
        try transaction.scoped(to: tenant).execute(
            """
            INSERT INTO tenant_key (tenant, version, root_version, wrapped, created_at) VALUES ($1, $2, $3, $4, $5)
            """, version, rootVersion, wrapped, clock.now)
    }

    /// Reads the keys of `tenant` again before the next use, and keeps nothing read before `transaction` commits.
    func unsettle(_ tenant: TenantID, until transaction: Transaction) {
        let now = clock.now
        state.withLock { state in
            state.tenants[tenant] = nil
            state.unsettled = state.unsettled.filter { now - $0.value < .seconds(3600) }
            state.unsettled[tenant] = now
        }
        transaction.afterCommit {
            self.state.withLock { state in
                state.unsettled[tenant] = nil
                state.tenants[tenant] = nil
            }
        }
    }

    /// Reads the keys of `tenant` again before the next use.
    func forget(_ tenant: TenantID) { state.withLock { $0.tenants[tenant] = nil } }

    /// The tenant's keys, from memory when they are fresh there and hold `version`.
    private func keys(of tenant: TenantID, in transaction: Transaction, holding version: UInt32?) throws -> TenantKeys {
        let now = clock.now
        if let cached = state.withLock({ $0.tenants[tenant] }) {
            let age = now - cached.loadedAt
            if age >= .zero, age < Limits.cachedTenantKeys, version.map({ cached.keys.byVersion[$0] != nil }) ?? true {
                return cached.keys
            }
        }
        var keys = TenantKeys()
        let rows = try transaction.scoped(to: tenant).rows(
            "SELECT version, root_version, wrapped, retired_at FROM tenant_key WHERE tenant = $1 ORDER BY version")
        for row in rows {
            let version = try row.keyVersion(0)
            keys.byVersion[version] = try unwrap(
                row.blob(2), of: tenant, version: version, rootVersion: row.keyVersion(1))
            if row.isNull(3) { keys.current = version }
        }
        guard !rows.isEmpty else { throw Self.missing(tenant) }
        let loaded = keys
        state.withLock { state in
            guard state.unsettled[tenant] == nil else { return }
            if state.tenants.count >= Limits.cachedTenants { state.tenants = [:] }
            state.tenants[tenant] = (loaded, now)
        }
        return keys
    }

    private static func wrappingData(_ tenant: TenantID, _ version: UInt32) -> [UInt8] {
        Array("tidegate tenant key".utf8) + tenant.bytes + [UInt8](bigEndian: version)
    }

    private func wrap(_ key: SymmetricKey, of tenant: TenantID, version: UInt32) throws -> ([UInt8], UInt32) {
        let root = state.withLock { $0.root }
        guard let rootKey = root.versions[root.current] else { throw Self.rootMissing(root.current) }
        let wrapped = try Envelope.seal(
            key.bytes, with: rootKey, version: root.current, authenticating: Self.wrappingData(tenant, version))
        return (wrapped, root.current)
    }

    private func unwrap(_ wrapped: [UInt8], of tenant: TenantID, version: UInt32, rootVersion: UInt32) throws
        -> SymmetricKey
    {
        guard let rootKey = try rootKey(rootVersion) else { throw Self.rootMissing(rootVersion) }
        guard
            let bytes = Envelope.open(wrapped, with: rootKey, authenticating: Self.wrappingData(tenant, version)),
            bytes.count == 32
        else {
            throw Refusal(
                .unavailable, "trust.tenantKeyBroken",
                "A tenant's key does not open with the platform's root key. Restore database and key files from the "
                    + "same backup.", detail: "key \(version) of tenant \(tenant)")
        }
        return SymmetricKey(data: bytes)
    }

    /// A root key by version; one not yet known may have been added to the file by another process.
    private func rootKey(_ version: UInt32) throws -> SymmetricKey? {
        try state.withLock { state in
            if let key = state.root.versions[version] { return key }
            state.root = try files.load()
            return state.root.versions[version]
        }
    }

    private static func rootMissing(_ version: UInt32) -> Refusal {
        Refusal(
            .unavailable, "trust.rootKeyMissing",
            "The platform's root key, version \(version), is not in the key files. Restore them from the backup that "
                + "belongs to this database.")
    }
}

// MARK: - Root and seal key

extension KeyRing {
    /// Makes a new root key that wraps from now on; ``rotationStep(in:rows:)`` wraps the tenants' keys again.
    ///
    /// It writes files: not on an event loop.
    public func rotateRoot() throws {
        try state.withLock { state in
            // One rotation at a time: a second would have to remember three versions for no gain.
            guard state.root.versions.count == 1 else {
                throw Refusal(
                    .conflict, "trust.rotationUnderWay", "A rotation of the root key is under way. Let it finish first."
                )
            }
            let keys = try state.root.addingVersion()
            try files.store(keys)
            state.root = keys
        }
    }

    /// Replaces the seal key and wraps the root key by the new one; nothing in the database changes.
    ///
    /// It writes files: not on an event loop. A copy of the old seal key opens older key backups only.
    public func rotateSeal() throws {
        try state.withLock { state in try files.replaceSeal(of: state.root) }
    }

    /// The current root key's version, and whether an older one still waits to be dropped.
    var rootVersion: (current: UInt32, hasOlder: Bool) {
        state.withLock { ($0.root.current, $0.root.versions.count > 1) }
    }

    /// Forgets the older root keys, when no tenant's key needs them any more.
    func dropOldRootKeys() throws {
        try state.withLock { state in
            let keys = state.root.droppingOldVersions()
            try files.store(keys)
            state.root = keys
        }
    }

    /// Wraps one tenant key by the current root key; false when it already was.
    func rewrapTenantKey(_ tenant: TenantID, version: UInt32, in transaction: Transaction) throws -> Bool {
        guard
            let row = try transaction.row(
                "SELECT root_version, wrapped FROM tenant_key WHERE tenant = $1 AND version = $2", version)
        else { return false }
        let oldRoot = try row.keyVersion(0)
        guard oldRoot != rootVersion.current else { return false }
        let key = try unwrap(row.blob(1), of: tenant, version: version, rootVersion: oldRoot)
        let (wrapped, newRoot) = try wrap(key, of: tenant, version: version)
        try transaction.execute(
            "UPDATE tenant_key SET wrapped = $3, root_version = $4 WHERE tenant = $1 AND version = $2",
            version, wrapped, newRoot)
        return true
    }
}

extension Row {
    /// The key version in a column: 1 and upwards, below the largest so that a next one always exists.
    func keyVersion(_ index: Int) throws -> UInt32 {
        let value = try integer(index)
        guard let version = UInt32(exactly: value), version > 0, version < .max else {
            throw StorageError(.corrupt, "column \(index) holds \(value) where a key version belongs")
        }
        return version
    }
}
