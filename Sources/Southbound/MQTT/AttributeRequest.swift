import Base
import Fleet
import NIOCore

/// What a ThingsBoard device wants to know: client attributes, which are what it reports, and shared attributes, which
/// are what it is wanted to be.
struct AttributeRequest {
    /// The device's own number for the request, which the answer's topic repeats.
    let number: String
    private let client: Set<String>
    private let shared: Set<String>

    /// The request in a payload such as `{"clientKeys":"a,b","sharedKeys":"c"}`.
    init(_ number: String, _ payload: ByteBuffer) throws(Refusal) {
        let value: JSONValue
        do {
            let limits = JSONLimits(bytes: Limits.attributeRequestBytes, depth: 2)
            value =
                try payload.readableBytes == 0
                ? [:] : JSONValue(parsing: Array(payload.readableBytesView), limits: limits)
        } catch {
            throw Refusal(.invalid, "attributes.invalid", "the request is not JSON: \(error.message)")
        }
        guard case .object = value else {
            throw Refusal(.invalid, "attributes.invalid", "the request must be a JSON object")
        }
        self.number = number
        client = try Self.keys(value, "clientKeys")
        shared = try Self.keys(value, "sharedKeys")
    }

    private static func keys(_ value: JSONValue, _ name: String) throws(Refusal) -> Set<String> {
        guard let list = value[name] else { return [] }
        guard let text = list.string else {
            throw Refusal(.invalid, "attributes.invalid", "\(name) must be names with commas between")
        }
        return Set(text.split(separator: ",").map(String.init))
    }

    /// The answer: what was asked for and is there, everything when no name was given. Like ThingsBoard's it leaves out
    /// the half that would be empty.
    func answer(_ documents: DeviceDocuments) -> JSONValue {
        let all = client.isEmpty && shared.isEmpty
        let reported = documents.reported.members.filter { all || client.contains($0.key) }
        let desired = documents.desired.told.filter { all || shared.contains($0.key) }
        var answer: [String: JSONValue] = [:]
        if !reported.isEmpty { answer["client"] = .object(reported) }
        if !desired.isEmpty { answer["shared"] = .object(desired) }
        return .object(answer)
    }

    /// What a ThingsBoard device is told about a change: the members that changed, and the names of those that are gone
    /// under `deleted`; nil when there is nothing to tell. With `tellingAll` also the members that did not change.
    static func update(
        from old: [String: JSONValue], to new: [String: JSONValue], tellingAll: Bool = false
    ) -> JSONValue? {
        var update = tellingAll ? new : new.filter { old[$0.key] != $0.value }
        let deleted = old.keys.filter { new[$0] == nil }.sorted()
        if !deleted.isEmpty { update["deleted"] = .array(deleted.map { .string($0) }) }
        return update.isEmpty ? nil : .object(update)
    }
}
