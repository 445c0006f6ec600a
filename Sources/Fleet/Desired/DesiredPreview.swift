public import Base

/// What a change of layers would do to devices, before anybody makes it.
public struct DesiredPreview: Sendable, Hashable {
    /// One member that would change.
    public struct Change: Sendable, Hashable {
        /// Where, as a JSON pointer.
        public let pointer: String
        /// What is there now, nil when nothing is; of a secret only that it is set.
        public let from: JSONValue?
        /// What would be there.
        public let to: JSONValue?
    }

    /// One device that would change.
    public struct Device: Sendable, Hashable {
        /// The device.
        public let id: DeviceID
        /// Its name.
        public let name: String
        /// What would change.
        public let changes: [Change]
        /// What of it would not fit the device's model.
        public let faults: [Refusal.Fault]
    }

    /// How many devices the change reaches.
    public internal(set) var devices = 0
    /// How many of them would be wanted to be something else.
    public internal(set) var changing = 0
    /// How many would no longer fit their model; any such refuses the change.
    public internal(set) var broken = 0
    /// Some of those that would change, those that would not fit first.
    public var examples: [Device] { Array((brokenOnes + changingOnes).prefix(FleetLimits.previewedDevices)) }

    private var brokenOnes: [Device] = []
    private var changingOnes: [Device] = []

    /// Counts a device in; `typed` are the places of secrets that the caller sent.
    ///
    /// Such a secret always counts as a change: otherwise a preview would tell whether it was guessed right, the nearer
    /// layers' too.
    mutating func add(
        _ id: DeviceID, _ name: @autoclosure () throws -> String, from old: DesiredRefresh.Candidate,
        to new: DesiredRefresh.Candidate, typed: Set<MemberPath>
    ) rethrows {
        devices += 1
        let typed = typed.filter { new.content.secrets[$0] != nil }
        guard old.content != new.content || !typed.isEmpty else { return }
        changing += 1
        // A device that did not fit before is not broken by this.
        let isBroken = !new.faults.isEmpty && old.faults.isEmpty
        if isBroken { broken += 1 }
        let shown = isBroken ? brokenOnes.count : changingOnes.count
        guard shown < FleetLimits.previewedDevices else { return }
        let device = Device(
            id: id, name: try name(), changes: Self.changes(from: old.content, to: new.content, typed: typed),
            faults: Array(new.faults.prefix(FleetLimits.keptDesiredFaults)))
        if isBroken { brokenOnes.append(device) } else { changingOnes.append(device) }
    }

    /// Refuses a change that breaks devices, naming some.
    func refuseBroken() throws(Refusal) {
        guard broken > 0 else { return }
        let faults = brokenOnes.flatMap { device in
            device.faults.map { Refusal.Fault(place: "\(device.name) \($0.place)", message: $0.message) }
        }
        throw Refusal(
            .invalid, "desired.breaks",
            "With this, \(broken) of \(devices) devices would no longer fit their model; some are named.",
            faults: Array(faults.prefix(FleetLimits.namedFaults)))
    }

    /// What differs between two documents, the secrets not shown.
    static func changes(
        from old: DesiredContent, to new: DesiredContent, typed: Set<MemberPath> = []
    ) -> [Change] {
        let (before, after) = (leaves(old), leaves(new))
        return Set(before.keys).union(after.keys).sorted().compactMap { path in
            guard before[path] != after[path] || old.secrets[path] != new.secrets[path] || typed.contains(path)
            else { return nil }
            return Change(pointer: path.pointer, from: before[path], to: after[path])
        }
    }

    private static func leaves(_ content: DesiredContent) -> [MemberPath: JSONValue] {
        Dictionary(content.members.leaves.map { ($0.path, $0.value) }) { first, _ in first }
    }

    /// The preview as JSON.
    public var json: JSONValue {
        [
            "devices": .integer(Int64(devices)), "changing": .integer(Int64(changing)),
            "broken": .integer(Int64(broken)),
            "examples": .array(
                examples.map { device in
                    [
                        "device": .string(device.id.text), "name": .string(device.name),
                        "changes": .array(
                            device.changes.map {
                                ["pointer": .string($0.pointer), "from": $0.from ?? .null, "to": $0.to ?? .null]
                            }),
                        "faults": .array(
                            device.faults.map { ["place": .string($0.place), "message": .string($0.message)] }),
                    ]
                }),
        ]
    }
}
