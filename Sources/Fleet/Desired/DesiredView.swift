public import Access
public import Base
import Storage

/// What a device is wanted to be, where each member comes from, and how the device stands to it.
public struct DesiredView: Sendable {
    /// One member of the document.
    public struct Member: Sendable, Hashable {
        /// Where, as a JSON pointer.
        public let pointer: String
        /// What is wanted; of a secret only that it is set.
        public let value: JSONValue
        /// The layer that says it; nil when that has changed and the document is still to be worked out.
        public let source: LayerPlace?
        /// Whether the device `follows`, `differs`, leaves it `unreported`, or it is a `secret`.
        public let standing: String
        /// What the device reports there.
        public let reported: JSONValue?
        /// Whether it is a secret.
        public var isSecret: Bool { value == DesiredContent.placeholder }
    }

    /// The document that the device gets.
    public let document: DeviceDocument
    /// The layers it is merged from, the outermost first, the device's own last.
    public let layers: [DesiredLayer]
    /// Each of its members.
    public let members: [Member]
    /// How many members the device reports otherwise; nil when it has said nothing to them.
    public let drift: Int64?
    /// Why a newer document was not given out: it does not fit the device's model.
    public let faults: [Refusal.Fault]

    /// The view as JSON.
    public var json: JSONValue {
        guard case .object(var all) = document.json else { return .null }
        all["drift"] = drift.map { .integer($0) } ?? .null
        all["layers"] = .array(
            layers.map { layer in
                [
                    "kind": .string(layer.place.kind), "id": .string(layer.place.id),
                    "version": .integer(layer.version),
                ]
            })
        all["members"] = .array(
            members.map { member in
                [
                    "pointer": .string(member.pointer), "value": member.value,
                    "source": member.source.map { ["kind": .string($0.kind), "id": .string($0.id)] } ?? .null,
                    "standing": .string(member.standing), "reported": member.reported ?? .null,
                ]
            })
        all["faults"] = .array(faults.map { ["place": .string($0.place), "message": .string($0.message)] })
        return .object(all)
    }
}

extension Fleet {
    /// What a device is wanted to be, member by member.
    public func desired(of text: String, in tenant: TenantID, by principal: Principal) async throws -> DesiredView {
        let reference = try Self.reference(text)
        return try await database.tenant(tenant).read { transaction in
            let device = try device(reference, of: tenant, for: principal, .deviceRead, in: transaction)
            let owner = Owner(tenant: tenant, device: device.id)
            guard let stored = try DocumentStore.load([owner], in: transaction.acrossTenants)[device.id] else {
                throw Self.unknown
            }
            let stack = try LayerStack(with: keyRing, in: transaction)
            let own = try LayerStore.find(.device(device.id), with: keyRing, in: transaction)
            let layers = stack.layers(at: DesiredRefresh.subject(device).seat) + (own.version > 0 ? [own] : [])
            let drift = Drift(stored.documents)
            let members = stored.documents.desired.members.leaves.map { path, value in
                let standing = drift.standing(of: path, value)
                return DesiredView.Member(
                    pointer: path.pointer, value: value,
                    source: layers.last { $0.members[path] != nil }?.place, standing: standing.rawValue,
                    // What a device says where a secret stands may be the secret.
                    reported: standing == .secret ? nil : stored.documents.reported.members[path])
            }
            return DesiredView(
                document: stored.documents.desired, layers: layers, members: members, drift: stored.drift,
                faults: DocumentStore.faults(stored.faults))
        }
    }
}
