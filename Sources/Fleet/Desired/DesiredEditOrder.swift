public import Base

/// What somebody wants changed in many devices' own layers at once.
public struct DesiredEditOrder: Sendable {
    /// Which devices.
    public enum Target: Sendable {
        /// Those that match, all when nil.
        case filter(String?)
        /// Those in a domain and below.
        case domain(String)
        /// These, each with what is changed in it alone.
        case devices([Named])
    }

    /// One device of a list.
    public struct Named: Sendable {
        /// Its name or identifier.
        public let device: String
        /// What is changed in it alone: texts by their place, as a list has them.
        public let texts: [MemberPath: String]

        /// A device, and what a line of a list says of it.
        public init(_ device: String, texts: [MemberPath: String] = [:]) {
            (self.device, self.texts) = (device, texts)
        }
    }

    /// Which devices.
    public var target: Target
    /// A merge patch (RFC 7396) of each device's own layer, in which values may be made for each device.
    public var change: JSONValue

    /// An edit of these devices.
    public init(_ target: Target, change: JSONValue = [:]) {
        (self.target, self.change) = (target, change)
    }

    /// The names of the members that it changes.
    var names: Set<String> {
        var names: Set<String> = []
        if case .object(let members) = change { names.formUnion(members.keys) }
        if case .devices(let named) = target {
            for one in named { names.formUnion(one.texts.keys.compactMap(\.steps.first)) }
        }
        return names
    }

    /// Refuses what is wrong for every device.
    func check() throws(Refusal) {
        var faults: [Refusal.Fault] = []
        var bytes = change.canonical.utf8.count
        if case .object(let members) = change {
            Self.check(change, at: [], &faults)
            var isListed = false
            if case .devices(let named) = target {
                isListed = named.contains { !$0.texts.isEmpty }
                for one in named { for text in one.texts.values { bytes += text.utf8.count } }
                if named.isEmpty || named.count > FleetLimits.editedDevices {
                    faults.append(
                        .init(place: "/target/devices", message: "names 1 to \(FleetLimits.editedDevices) devices"))
                }
            }
            if members.isEmpty, !isListed { faults.append(.init(place: "/change", message: "changes nothing")) }
        } else {
            faults.append(.init(place: "/change", message: "must be an object"))
        }
        guard faults.isEmpty else { throw .faulty("desired.invalid", "The edit", faults) }
        guard bytes <= FleetLimits.editBytes else {
            throw Refusal(
                .tooLarge, "desired.edit",
                "The edit changes \(bytes) bytes; \(FleetLimits.editBytes) are allowed: make several.")
        }
    }

    private static func check(_ value: JSONValue, at steps: [String], _ faults: inout [Refusal.Fault]) {
        func fault(_ message: String) {
            guard faults.count < FleetLimits.namedFaults else { return }
            faults.append(.init(place: "/change" + MemberPath(steps).pointer, message: message))
        }
        guard steps.count <= FleetLimits.documentDepth else {
            return fault("nests more than \(FleetLimits.documentDepth) levels deep")
        }
        do throws(GeneratedValue.Fault) {
            if try GeneratedValue.read(value) != nil { return }
        } catch {
            return fault(error.message)
        }
        if case .array(let elements) = value {
            // Within arrays no value is made.
            for element in elements { if let message = plainFault(element, steps.count + 1) { fault(message) } }
        }
        guard case .object(let members) = value else { return }
        if value == DesiredContent.placeholder { return fault("leave a secret out that is to stay") }
        for (key, member) in members.sorted(by: { $0.key < $1.key }) {
            if key.hasPrefix("$") { fault("\(key) is not known; use $generate or $random") }
            check(member, at: steps + [key], &faults)
        }
    }

    /// What is wrong with a value, `depth` levels down, that is stored as it is: a name with a $ in it has no meaning
    /// there.
    private static func plainFault(_ value: JSONValue, _ depth: Int) -> String? {
        guard depth <= FleetLimits.documentDepth else {
            return "nests more than \(FleetLimits.documentDepth) levels deep"
        }
        switch value {
        case .array(let elements):
            for element in elements { if let message = plainFault(element, depth + 1) { return message } }
        case .object(let members):
            for (key, member) in members.sorted(by: { $0.key < $1.key }) {
                if key.hasPrefix("$") { return "\(key) is not known here" }
                if let message = plainFault(member, depth + 1) { return message }
            }
        default: break
        }
        return nil
    }

    /// What is changed in one device, with all values made.
    struct Made {
        /// A merge patch of its own layer.
        var change: JSONValue
        /// Where random values stand: each is a secret, whatever the schema says.
        var secrets: Set<MemberPath>
    }

    /// What is changed in a device, the `number`th of the edit.
    func made(
        for device: Device, _ number: Int, texts: [MemberPath: String], schema: JSONSchema?
    ) throws(GeneratedValue.Fault) -> Made {
        var made = Made(change: [:], secrets: [])
        guard
            case .object(var members) = try GeneratedValue.filled(change, at: [], device, number, schema, &made.secrets)
        else {
            return made
        }
        for (path, text) in texts {
            let value = Self.value(text, at: path, schema)
            if let message = Self.plainFault(value, path.steps.count) {
                throw GeneratedValue.Fault(message: "\(path.pointer) \(message)")
            }
            members[path] = value
        }
        made.change = .object(members)
        return made
    }

    /// A cell's text as the schema has it there; without one, as JSON when it is that, else as text.
    private static func value(_ text: String, at path: MemberPath, _ schema: JSONSchema?) -> JSONValue {
        if text == "null" { return .null }
        if let part = schema?.part(at: path), let value = part.value(of: text) { return value }
        let limits = JSONLimits(bytes: FleetLimits.documentBytes, depth: FleetLimits.documentDepth)
        return (try? JSONValue(parsing: Array(text.utf8), limits: limits)) ?? .string(text)
    }
}
