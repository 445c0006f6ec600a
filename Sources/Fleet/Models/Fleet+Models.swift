public import Access
import Audit
public import Base
import Bus
import Storage

extension Fleet {
    /// Creates a model.
    public func createModel(
        _ name: Name, _ document: ModelDocument, in tenant: TenantID, by principal: Principal
    ) async throws -> Model {
        let document = try checked(document)
        guard ModelID(text: name.text) == nil else {
            throw Refusal(.invalid, "model.invalid", "A model's name must not be 32 hexadecimal digits.")
        }
        return try await writing(tenant) { transaction in
            try access.authorize(principal, .modelManage, tenant: tenant, in: transaction)
            guard try ModelStore.find(name.text, in: transaction) == nil else {
                throw Refusal(
                    .conflict, "model.nameTaken", "The tenant has a model called \(name); choose another name.")
            }
            guard try ModelStore.count(in: transaction) < FleetLimits.models else {
                throw Refusal(.limited, "model.tooMany", "A tenant has at most \(FleetLimits.models) models.")
            }
            let now = clock.now
            let model = Model(
                id: ModelID(now: now), name: name, version: 1, document: document, created: now, changed: now)
            try ModelStore.write(model, isNew: true, in: transaction)
            try record(.modelCreated, model, of: tenant, by: principal, in: transaction)
            try hideSecrets(of: model, in: tenant, transaction)
            announce(model, of: tenant, in: transaction)
            return model
        }
    }

    /// Writes a model's next version. With `version`, only when that is still the present one.
    ///
    /// Where the new policies allow less than the old ones, connections of the model's devices close; those that are
    /// still allowed come back.
    public func updateModel(
        _ text: String, _ document: ModelDocument, name: Name? = nil, ifVersion version: Int? = nil,
        in tenant: TenantID, by principal: Principal
    ) async throws -> Model {
        let document = try checked(document)
        return try await writing(tenant) { transaction in
            try access.authorize(principal, .modelManage, tenant: tenant, in: transaction)
            guard let old = try ModelStore.find(text, in: transaction) else { throw Self.unknownModel }
            if let version, version != old.version {
                throw Refusal(
                    .conflict, "model.changed",
                    "The model is at version \(old.version) now; read it again and repeat the change.")
            }
            if let name, name != old.name, try ModelStore.find(name.text, in: transaction) != nil {
                throw Refusal(
                    .conflict, "model.nameTaken", "The tenant has a model called \(name); choose another name.")
            }
            if document == old.document, name ?? old.name == old.name { return old }
            let model = Model(
                id: old.id, name: name ?? old.name, version: old.version + 1, document: document, created: old.created,
                changed: clock.now)
            try ModelStore.write(model, isNew: false, in: transaction)
            try record(.modelUpdated, model, of: tenant, by: principal, in: transaction)
            if document.desiredSchema != old.document.desiredSchema {
                try hideSecrets(of: model, in: tenant, transaction)
                try refreshDesired(.layer(.model(model.id)), in: transaction)
            }
            announce(model, of: tenant, in: transaction)
            if DeviceDirectory.isTighter(document, than: old.document) {
                transaction.afterCommit { [directory, bus] in
                    for device in directory.devices(of: model.id) {
                        bus.publish(
                            DeviceAccessEnded(tenant: tenant, device: device, fingerprint: nil, reason: .policyChanged))
                    }
                }
            }
            return model
        }
    }

    /// Deletes a model that no device has.
    public func deleteModel(_ text: String, in tenant: TenantID, by principal: Principal) async throws {
        try await writing(tenant) { transaction in
            try access.authorize(principal, .modelManage, tenant: tenant, in: transaction)
            guard let model = try ModelStore.find(text, in: transaction) else { throw Self.unknownModel }
            guard try transaction.row("SELECT 1 FROM device WHERE tenant = $1 AND model = $2 LIMIT 1", model.id) == nil
            else {
                throw Refusal(.conflict, "model.used", "Devices have this model; give them another one first.")
            }
            try ModelStore.delete(model.id, in: transaction)
            try LayerStore.delete(.model(model.id), in: transaction)
            try record(.modelDeleted, model, of: tenant, by: principal, in: transaction)
            let id = model.id
            transaction.afterCommit { [directory, bus] in
                directory.remove(id)
                bus.publish(ModelChanged(tenant: tenant, model: id))
            }
        }
    }

    /// All models of a tenant by name; there are at most a thousand.
    public func models(in tenant: TenantID, by principal: Principal) async throws -> [Model] {
        try await database.tenant(tenant).read { transaction in
            try access.authorize(principal, .modelRead, tenant: tenant, in: transaction)
            return try ModelStore.all(in: transaction)
        }
    }

    /// One model, by name or identifier, in its present or an earlier version.
    public func model(_ text: String, version: Int? = nil, in tenant: TenantID, by principal: Principal) async throws
        -> Model
    {
        try await database.tenant(tenant).read { transaction in
            try access.authorize(principal, .modelRead, tenant: tenant, in: transaction)
            guard let model = try ModelStore.find(text, in: transaction) else { throw Self.unknownModel }
            guard let version, version != model.version else { return model }
            guard let document = try ModelStore.document(model.id, version: version, in: transaction) else {
                throw Refusal(
                    .notFound, "model.versionUnknown", "The model has no such version, or it is no longer kept.")
            }
            return Model(
                id: model.id, name: model.name, version: version, document: document, created: model.created,
                changed: model.changed)
        }
    }

    static let unknownModel = Refusal(
        .notFound, "model.unknown", "There is no such model; name it by its name or its identifier.")

    /// A document that was made in the program meets the same rules as one that was read.
    private func checked(_ document: ModelDocument) throws(Refusal) -> ModelDocument {
        let json = document.json
        guard json.canonical.utf8.count <= FleetLimits.modelBytes else {
            throw Refusal(.tooLarge, "model.tooLarge", "A model has at most \(FleetLimits.modelBytes) bytes.")
        }
        return try ModelDocument(json: json)
    }

    private func record(
        _ code: AuditCode, _ model: Model, of tenant: TenantID, by principal: Principal, in transaction: Transaction
    ) throws {
        try audit.record(
            AuditEntry(
                code, tenant: tenant, actor: principal.actor(in: tenant),
                object: AuditObject(kind: "model", id: model.id.text),
                details: ["name": .string(model.name.text), "version": .integer(Int64(model.version))]),
            in: transaction)
    }

    private func announce(_ model: Model, of tenant: TenantID, in transaction: Transaction) {
        transaction.afterCommit { [directory, bus] in
            directory.put(model)
            bus.publish(ModelChanged(tenant: tenant, model: model.id))
        }
    }
}
