public import Access
import Audit
public import Base
import Blobs
import Storage

extension Operations {
    /// A release, from memory after the first time: whoever calls decides who may know of it.
    public func release(_ id: ReleaseID, of tenant: TenantID) async throws -> Release? {
        let (known, changes) = releases.find(id, of: tenant)
        if let known { return known }
        guard let found = try await database.tenant(tenant).read({ try ReleaseStore.find(id, in: $0) }) else {
            return nil
        }
        releases.keep(found, of: tenant, changes: changes)
        return found
    }

    /// A release, for a caller who may see it.
    public func release(_ id: ReleaseID, in tenant: TenantID, by principal: Principal) async throws -> Release {
        try await database.tenant(tenant).read { transaction in
            try access.authorize(principal, .releaseRead, tenant: tenant, in: transaction)
            guard let release = try ReleaseStore.find(id, in: transaction) else { throw Self.unknownRelease }
            return release
        }
    }

    /// The releases before `last`, the newest first.
    public func releases(
        before last: ReleaseID? = nil, of component: String? = nil, state: Release.State? = nil, limit: Int,
        in tenant: TenantID, by principal: Principal
    ) async throws -> [Release] {
        try await database.tenant(tenant).read { transaction in
            try access.authorize(principal, .releaseRead, tenant: tenant, in: transaction)
            return try ReleaseStore.page(
                before: last, component: component, state: state, limit: limit, in: transaction)
        }
    }

    /// Makes a draft of a release.
    public func createRelease(
        _ draft: ReleaseDraft, in tenant: TenantID, by principal: Principal
    ) async throws -> Release {
        try draft.check()
        return try await database.tenant(tenant).write { transaction in
            try access.authorize(principal, .releaseManage, tenant: tenant, in: transaction)
            guard try ReleaseStore.count(in: transaction) < OperationLimits.releases else {
                throw Refusal(
                    .limited, "release.tooMany", "A tenant has at most \(OperationLimits.releases) releases.")
            }
            return try put(ReleaseID(now: clock.now), draft, .releaseCreated, tenant, principal, transaction)
        }
    }

    /// Changes a draft as a whole.
    public func changeRelease(
        _ id: ReleaseID, _ draft: ReleaseDraft, in tenant: TenantID, by principal: Principal
    ) async throws -> Release {
        try draft.check()
        return try await database.tenant(tenant).write { transaction in
            try access.authorize(principal, .releaseManage, tenant: tenant, in: transaction)
            guard let old = try ReleaseStore.find(id, in: transaction) else { throw Self.unknownRelease }
            guard old.state == .draft else { throw Self.unchangeable(old) }
            var draft = draft
            if draft.counter == nil, draft.component.text == old.component { draft.counter = old.counter }
            return try put(id, draft, .releaseChanged, tenant, principal, transaction)
        }
    }

    /// Publishes a draft: from now on it can be installed, and never changes.
    public func publishRelease(_ id: ReleaseID, in tenant: TenantID, by principal: Principal) async throws -> Release {
        try await database.tenant(tenant).write { transaction in
            try access.authorize(principal, .releaseManage, tenant: tenant, in: transaction)
            guard let release = try ReleaseStore.find(id, in: transaction) else { throw Self.unknownRelease }
            guard release.state == .draft else { throw Self.unchangeable(release) }
            guard !release.artifacts.isEmpty else {
                throw Refusal(
                    .conflict, "release.empty", "A release without artifacts installs nothing; add one first.")
            }
            let last = try ReleaseStore.lastCounter(of: release.component, drafts: false, in: transaction)
            guard release.counter > last else {
                throw Refusal(
                    .conflict, "release.counter",
                    "\(release.component) is at the counter \(last) already; a new release must have a higher one.")
            }
            // It may have come before the tenant had keys.
            if let unsigned = release.artifacts.first(where: { $0.signature == .unverified }),
                try !UpdateKeyStore.all(in: transaction).isEmpty
            {
                throw Refusal(
                    .conflict, "release.unverified",
                    "\(unsigned.name) came before this tenant had update keys, so nobody checked its signature. Upload it "
                        + "once more.")
            }
            return try set(.published, release, .releasePublished, tenant, principal, transaction)
        }
    }

    /// Withdraws a published release: nobody can order it any more. What is under way goes on until it is ended.
    public func withdrawRelease(_ id: ReleaseID, in tenant: TenantID, by principal: Principal) async throws -> Release {
        try await database.tenant(tenant).write { transaction in
            try access.authorize(principal, .releaseManage, tenant: tenant, in: transaction)
            guard let release = try ReleaseStore.find(id, in: transaction) else { throw Self.unknownRelease }
            guard release.state == .published else {
                throw Refusal(
                    .conflict, "release.state", "The release is \(release.state.rawValue), so it can not be withdrawn.")
            }
            return try set(.withdrawn, release, .releaseWithdrawn, tenant, principal, transaction)
        }
    }

    /// Deletes a draft, or a withdrawn release that no operation names.
    public func deleteRelease(_ id: ReleaseID, in tenant: TenantID, by principal: Principal) async throws {
        try await database.tenant(tenant).write { transaction -> Void in
            try access.authorize(principal, .releaseManage, tenant: tenant, in: transaction)
            guard let release = try ReleaseStore.find(id, in: transaction) else { throw Self.unknownRelease }
            guard release.state != .published else {
                throw Refusal(.conflict, "release.state", "The release is published; withdraw it first.")
            }
            guard try !ReleaseStore.isOrdered(id, in: transaction) else {
                throw Refusal(
                    .conflict, "release.used",
                    "Operations install this release, or did so not long ago; it stays as long as they are kept.")
            }
            try ReleaseStore.delete(id, in: transaction)
            try record(.releaseDeleted, release, tenant, principal, transaction)
            dropAfterCommit(id, tenant, transaction)
        }
    }

    /// Refuses an order of a release that is not there or not published.
    @discardableResult
    func requirePublished(_ id: ReleaseID, in transaction: Transaction) throws -> Release {
        guard let release = try ReleaseStore.find(id, in: transaction) else { throw Self.unknownRelease }
        guard release.state == .published else {
            throw Refusal(
                .conflict, "release.state",
                "The release is \(release.state.rawValue); only a published one can be installed.")
        }
        return release
    }

    static let unknownRelease = Refusal(
        .notFound, "release.unknown", "There is no such release, or it is not for you.")

    private static func unchangeable(_ release: Release) -> Refusal {
        Refusal(
            .conflict, "release.state",
            "The release is \(release.state.rawValue), and only drafts change. Make a new release instead.")
    }

    // MARK: - In a transaction

    private func put(
        _ id: ReleaseID, _ draft: ReleaseDraft, _ code: AuditCode, _ tenant: TenantID, _ principal: Principal,
        _ transaction: Transaction
    ) throws -> Release {
        var names: Set<String> = []
        for (index, artifact) in draft.artifacts.enumerated() {
            let name = try whole(artifact, at: "/artifacts/\(index)", in: transaction).name
            // Devices ask for a release's artifacts by name.
            guard names.insert(name).inserted else {
                throw Refusal(
                    .invalid, "release.sameName", "Two artifacts of the release are called \(name).",
                    faults: [.init(place: "/artifacts/\(index)", message: "is called like one before it")])
            }
        }
        if let sbom = draft.sbom, try whole(sbom, at: "/sbom", in: transaction).type != .cycloneDX {
            throw Refusal(
                .invalid, "release.sbom", "The bill of materials is no CycloneDX document in JSON.",
                faults: [.init(place: "/sbom", message: "is no CycloneDX document in JSON")])
        }
        let component = draft.component.text
        let counter =
            try draft.counter ?? (ReleaseStore.lastCounter(of: component, drafts: true, in: transaction) + 1)
        let taken = try ReleaseStore.isTaken(
            component, version: draft.version, counter: counter, but: id, in: transaction)
        guard !taken.version, !taken.counter else {
            throw Refusal(
                .conflict, taken.version ? "release.versionTaken" : "release.counterTaken",
                "\(component) has a release of this \(taken.version ? "version" : "counter") already.")
        }
        try ReleaseStore.put(
            id, draft, counter: counter, creator: principal.id, named: principal.name, at: clock.now, in: transaction)
        guard let release = try ReleaseStore.find(id, in: transaction) else { throw Self.unknownRelease }
        try record(code, release, tenant, principal, transaction)
        dropAfterCommit(id, tenant, transaction)
        return release
    }

    private func whole(_ id: ArtifactID, at place: String, in transaction: Transaction) throws -> Artifact {
        switch try ArtifactStore.find(id, in: transaction) {
        case .whole(let artifact): return artifact
        case .uploading:
            throw Refusal(
                .conflict, "artifact.uploading", "The artifact is still on its way.",
                faults: [.init(place: place, message: "is still on its way")])
        case nil: throw Self.unknownArtifact
        }
    }

    private func set(
        _ state: Release.State, _ release: Release, _ code: AuditCode, _ tenant: TenantID, _ principal: Principal,
        _ transaction: Transaction
    ) throws -> Release {
        try ReleaseStore.set(state, release.id, at: clock.now, in: transaction)
        try record(code, release, tenant, principal, transaction)
        dropAfterCommit(release.id, tenant, transaction)
        guard let changed = try ReleaseStore.find(release.id, in: transaction) else { throw Self.unknownRelease }
        return changed
    }

    private func dropAfterCommit(_ id: ReleaseID, _ tenant: TenantID, _ transaction: Transaction) {
        transaction.afterCommit { [releases] in releases.drop(id, of: tenant) }
    }

    private func record(
        _ code: AuditCode, _ release: Release, _ tenant: TenantID, _ principal: Principal, _ transaction: Transaction
    ) throws {
        try audit.record(
            AuditEntry(
                code, tenant: tenant, actor: principal.actor(in: tenant),
                object: AuditObject(kind: "release", id: release.id.text),
                details: [
                    "component": .string(release.component), "version": .string(release.version),
                    "counter": .integer(release.counter),
                    "artifacts": .array(release.artifacts.map { .string($0.sha256.text) }),
                ]),
            in: transaction)
    }
}
