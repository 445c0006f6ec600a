public import Access
import Audit
public import Base
import Bus
import Storage

extension Fleet {
    /// One of a device's documents.
    public func document(
        _ kind: DeviceDocument.Kind, of text: String, in tenant: TenantID, by principal: Principal
    ) async throws -> DeviceDocument {
        let reference = try Self.reference(text)
        return try await database.tenant(tenant).read { transaction in
            let device = try device(reference, of: tenant, for: principal, .deviceRead, in: transaction)
            return try DocumentStore.find(kind, of: device.id, in: transaction)
        }
    }

    /// The versions of all desired documents that were ever written, for a start of the server.
    public func desiredVersions() async throws -> [(device: DeviceID, version: Int64)] {
        try await database.platform.read { transaction in
            try transaction.acrossTenants.rows(
                "SELECT device, version FROM device_document WHERE kind = $1", DeviceDocument.Kind.desired.rawValue
            ).map { (device: try $0.identifier(0, as: DeviceID.self), version: try $0.integer(1)) }
        }
    }

    /// Sets what a device is wanted to be; a device that listens hears of it at once.
    ///
    /// Writing what is there already changes nothing. With `version`, only when that is still the present one.
    public func setDesired(
        _ value: JSONValue, of text: String, ifVersion version: Int64? = nil, in tenant: TenantID,
        by principal: Principal
    ) async throws -> DeviceDocument {
        let reference = try Self.reference(text)
        let members = try Self.desiredMembers(value)
        try DeviceDocument.check(members, .desired)
        return try await writing(tenant) { transaction in
            let device = try device(reference, of: tenant, for: principal, .deviceControl, in: transaction)
            if let model = device.model.flatMap(directory.model(_:)), let schema = model.document.desiredSchema {
                let faults = schema.faults(of: value)
                guard faults.isEmpty else {
                    throw Refusal.faulty("desired.invalid", "The desired document for \(model.name)", faults)
                }
            }
            let old = try DocumentStore.find(.desired, of: device.id, in: transaction)
            if let version, version != old.version {
                throw Refusal(
                    .conflict, "desired.changed",
                    "The desired document is at version \(old.version) now; read it again and repeat the change.")
            }
            guard members != old.members || old.version == 0 else { return old }
            let new = old.next(members, at: clock.now)
            let owner = Owner(tenant: tenant, device: device.id)
            try DocumentStore.write([(new, owner)], in: transaction.acrossTenants)
            // The names only: a value may be a secret.
            let changed = members.filter { old.members[$0.key] != $0.value }.keys.sorted()
            let removed = old.members.keys.filter { members[$0] == nil }.sorted()
            try record(
                .desiredChanged, device, of: tenant, by: principal.actor(in: tenant),
                details: [
                    "version": .integer(new.version), "changed": Self.named(changed), "removed": Self.named(removed),
                ], in: transaction)
            transaction.afterCommit { [bus] in
                bus.publish(DesiredChanged(tenant: tenant, device: owner.device, previous: old, document: new))
            }
            return new
        }
    }

    /// The members of a desired document: an object in which null stands nowhere, because a device can not tell it from
    /// a member that is to go.
    private static func desiredMembers(_ value: JSONValue) throws(Refusal) -> [String: JSONValue] {
        let fault: Refusal.Fault
        if case .object(let members) = value {
            guard let place = value.pointerToNull else { return members }
            fault = Refusal.Fault(place: place, message: "must not be null; leave the member out")
        } else {
            fault = Refusal.Fault(place: "", message: "must be an object")
        }
        throw Refusal.faulty("desired.invalid", "The desired document", [fault])
    }

    private static func named(_ keys: [String]) -> JSONValue {
        .array(keys.prefix(FleetLimits.namedFaults).map { .string($0) })
    }
}

extension JSONValue {
    /// Where a member of an object is null, arrays left aside; nil when none is.
    fileprivate var pointerToNull: String? {
        guard case .object(let members) = self else { return nil }
        for (key, member) in members.sorted(by: { $0.key < $1.key }) {
            if member == .null { return "/" + key.jsonPointerStep }
            if let inner = member.pointerToNull { return "/" + key.jsonPointerStep + inner }
        }
        return nil
    }
}
