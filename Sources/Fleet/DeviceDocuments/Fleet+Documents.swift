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
                "SELECT device, version FROM device_document WHERE kind = $1 AND version > 0",
                DeviceDocument.Kind.desired.rawValue
            ).map { (device: try $0.identifier(0, as: DeviceID.self), version: try $0.integer(1)) }
        }
    }

    /// Sets a device's own layer of what it is wanted to be, and answers with what that comes to; a device that listens
    /// hears of it at once.
    ///
    /// A null takes away what the layers above say. Writing what is there already changes nothing. With `version`, only
    /// when that is still the present one of the document that the device gets.
    public func setDesired(
        _ value: JSONValue, of text: String, ifVersion version: Int64? = nil, in tenant: TenantID,
        by principal: Principal
    ) async throws -> DeviceDocument {
        try await setOwnLayer(value, of: text, ifVersion: version, in: tenant, by: principal).document
    }

    /// The same, with the layer's own version in the answer. With `layer`, only when that is still the present version
    /// of the layer: the document's says nothing of it while another layer has a say.
    public func setOwnLayer(
        _ value: JSONValue, of text: String, ifVersion version: Int64? = nil, ifLayer seen: Int64? = nil,
        in tenant: TenantID, by principal: Principal
    ) async throws -> (document: DeviceDocument, layer: Int64) {
        let reference = try Self.reference(text)
        return try await writing(tenant) { transaction in
            let device = try device(reference, of: tenant, for: principal, .deviceControl, in: transaction)
            let old = try DocumentStore.find(.desired, of: device.id, in: transaction)
            if let version, version != old.version { throw Self.desiredChanged(old.version) }
            var refresh = try DesiredRefresh(self, tenant, in: transaction)
            let seat = DesiredRefresh.subject(device).seat
            let layer = try LayerStore.find(.device(device.id), with: keyRing, in: transaction)
            if let seen, seen != layer.version { throw Self.desiredChanged(layer.version) }
            let content = try DesiredContent(
                sent: value, over: layer.content, below: refresh.stack.inherited(at: seat),
                hiding: refresh.secretPlaces(seat, in: transaction))
            try content.checkSize()
            guard content != layer.content || layer.version == 0 else { return (old, layer.version) }
            let candidate = try refresh.candidate(seat, own: content, in: transaction)
            guard candidate.faults.isEmpty else {
                let name = device.model.flatMap { directory.model($0)?.name.text } ?? device.name.text
                throw Refusal.faulty("desired.invalid", "The desired document for \(name)", candidate.faults)
            }
            let new = layer.next(content, at: clock.now)
            try LayerStore.write([new], of: tenant, with: keyRing, in: transaction)
            try refresh.refresh(
                [DesiredRefresh.subject(device)], own: [device.id: new], writesAlways: true, in: transaction)
            let document = try DocumentStore.find(.desired, of: device.id, in: transaction)
            try record(
                .desiredChanged, device, of: tenant, by: principal.actor(in: tenant),
                details: Self.details(from: layer, to: new), in: transaction)
            return (document, new.version)
        }
    }

    static func desiredChanged(_ version: Int64) -> Refusal {
        Refusal(
            .conflict, "desired.changed",
            "The desired document is at version \(version) now; read it again and repeat the change.")
    }

    /// The names of what changed in a layer: a value may be a secret.
    static func details(from old: DesiredLayer, to new: DesiredLayer) -> JSONValue {
        let (before, after) = (old.content.full, new.content.full)
        let changed = after.filter { before[$0.key] != $0.value }.keys.sorted()
        let removed = before.keys.filter { after[$0] == nil }.sorted()
        return ["version": .integer(new.version), "changed": named(changed), "removed": named(removed)]
    }

    static func named(_ keys: [String]) -> JSONValue {
        .array(keys.prefix(FleetLimits.namedFaults).map { .string($0) })
    }
}
