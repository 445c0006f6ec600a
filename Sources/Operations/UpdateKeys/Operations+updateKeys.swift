public import Access
import Audit
public import Base
import Storage
public import Trust

extension ChangeKind {
    /// A key is trusted for updates.
    static let updateKeyPut = ChangeKind("updateKey.put")
    /// A key is trusted no more; with the last one, nothing needs a signature any more.
    static let updateKeyDelete = ChangeKind("updateKey.delete")
}

/// A key that a tenant trusts for updates, under the name that it gave it.
public struct NamedUpdateKey: Sendable {
    /// The name, unique in the tenant.
    public let name: Name
    /// The key.
    public let key: UpdateKey
    /// Who put it there.
    public let creatorName: String
    /// When.
    public let created: Timestamp
}

extension Operations {
    /// The keys that a tenant trusts for updates, by name.
    public func updateKeys(in tenant: TenantID, by principal: Principal) async throws -> [NamedUpdateKey] {
        try await database.tenant(tenant).read { transaction in
            try access.authorize(principal, .artifactRead, tenant: tenant, in: transaction)
            return try UpdateKeyStore.all(in: transaction)
        }
    }

    /// One key that a tenant trusts for updates.
    public func updateKey(_ name: String, in tenant: TenantID, by principal: Principal) async throws -> NamedUpdateKey {
        try await database.tenant(tenant).read { transaction in
            try access.authorize(principal, .artifactRead, tenant: tenant, in: transaction)
            guard let found = try UpdateKeyStore.find(name, in: transaction) else { throw Self.unknownKey }
            return found
        }
    }

    /// Trusts a key for updates, under a new name or in the place of the one that has the name. Artifacts that are there
    /// stay what they were found to be.
    public func putUpdateKey(
        _ name: Name, _ pem: String, reason: String?, in tenant: TenantID, by principal: Principal
    ) async throws -> NamedUpdateKey {
        try await database.tenant(tenant).write { transaction in
            try putKey(name, pem, .own(reason: reason), tenant, principal, transaction)
        }
    }

    /// Trusts a key for updates no more.
    public func deleteUpdateKey(
        _ name: String, reason: String?, in tenant: TenantID, by principal: Principal
    ) async throws {
        try await database.tenant(tenant).write { transaction in
            try deleteKey(name, .own(reason: reason), tenant, principal, transaction)
        }
    }

    /// The keys for whoever examines an update.
    func updateKeys(of tenant: TenantID) async throws -> [ArtifactExamination.NamedKey] {
        try await database.tenant(tenant).read { transaction in
            try UpdateKeyStore.all(in: transaction).map { ($0.name.text, $0.key) }
        }
    }

    private static let unknownKey = Refusal(
        .notFound, "updateKey.unknown", "There is no such update key, or it is not for you.")

    private func putKey(
        _ name: Name, _ pem: String, _ authority: Authority, _ tenant: TenantID, _ principal: Principal,
        _ transaction: Transaction
    ) throws -> NamedUpdateKey {
        try access.authorize(principal, .updateKeyManage, tenant: tenant, in: transaction)
        let scoped = transaction.scoped(to: tenant)
        let key = NamedUpdateKey(
            name: name, key: try UpdateKey(pem: pem), creatorName: principal.name, created: clock.now)
        if let ends = key.key.ends, ends < clock.now {
            throw Refusal(.invalid, "updateKey.ended", "The certificate ended on \(ends.rfc3339).")
        }
        guard
            try UpdateKeyStore.find(name.text, in: scoped) != nil
                || UpdateKeyStore.all(in: scoped).count < OperationLimits.updateKeys
        else {
            throw Refusal(
                .limited, "updateKey.tooMany", "A tenant has at most \(OperationLimits.updateKeys) update keys.")
        }
        try access.require(authority, of: .updateKeyPut, tenant: tenant, by: principal, in: transaction)
        try UpdateKeyStore.put(key, in: scoped)
        try recordKey(.updateKeyPut, key, authority, tenant, principal, scoped)
        return key
    }

    private func deleteKey(
        _ name: String, _ authority: Authority, _ tenant: TenantID, _ principal: Principal, _ transaction: Transaction
    ) throws {
        try access.authorize(principal, .updateKeyManage, tenant: tenant, in: transaction)
        let scoped = transaction.scoped(to: tenant)
        guard let key = try UpdateKeyStore.find(name, in: scoped) else { throw Self.unknownKey }
        try access.require(authority, of: .updateKeyDelete, tenant: tenant, by: principal, in: transaction)
        try UpdateKeyStore.delete(name, in: scoped)
        try recordKey(.updateKeyDeleted, key, authority, tenant, principal, scoped)
    }

    private func recordKey(
        _ code: AuditCode, _ key: NamedUpdateKey, _ authority: Authority, _ tenant: TenantID, _ principal: Principal,
        _ transaction: Transaction
    ) throws {
        try audit.record(
            AuditEntry(
                code, tenant: tenant, actor: principal.actor(in: tenant),
                object: AuditObject(kind: "updateKey", id: key.name.text),
                details: authority.told([
                    "kind": .string(key.key.kind.rawValue), "algorithm": .string(key.key.algorithm),
                    "fingerprint": .string(key.key.fingerprint.hex),
                ])),
            in: transaction)
    }

    /// Lets changes of update keys be proposed, where the tenant wants a second approver for them.
    func addApprovals() {
        let named = ChangeReference.thing { name, _, transaction in
            try UpdateKeyStore.find(name, in: transaction)?.key.fingerprint.hex
        }
        access.approvals.add(
            .updateKeyPut, naming: ["name": named],
            present: { change, tenant, transaction in
                let found = try change["name"]?.string.flatMap {
                    try UpdateKeyStore.find($0, in: transaction.scoped(to: tenant))
                }
                return ["pem": found.map { .string($0.key.pem) } ?? .null]
            }
        ) { [self] change, authority, tenant, principal, transaction in
            guard let name = change["name"]?.string.flatMap({ Name($0) }) else { throw Access.unreadable("name") }
            guard let pem = change["pem"]?.string else { throw Access.unreadable("pem") }
            _ = try putKey(name, pem, authority, tenant, principal, transaction)
        }
        access.approvals.add(.updateKeyDelete, naming: ["name": named]) {
            [self] change, authority, tenant, principal, transaction in
            guard let name = change["name"]?.string else { throw Access.unreadable("name") }
            try deleteKey(name, authority, tenant, principal, transaction)
        }
    }
}
