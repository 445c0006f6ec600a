public import Base
import Fleet

/// A version of a component, with the files that devices install.
public struct Release: Sendable, Hashable {
    /// How far it has come.
    public enum State: String, CaseIterable, Sendable {
        /// It is being put together, and no device gets it.
        case draft
        /// It can be installed, and never changes.
        case published
        /// Nobody orders it any more.
        case withdrawn
    }

    /// Its identifier.
    public let id: ReleaseID
    /// The component that it is a version of.
    public let component: String
    /// What people call the version.
    public let version: String
    /// Counts the component's versions upward, whatever they are called.
    public let counter: Int64
    /// The hardware that it fits; any when empty.
    public let hardware: [String]
    /// What is new in it.
    public let notes: String
    /// Until when it is looked after.
    public let supportEnds: Timestamp?
    /// Its files, in their order.
    public let artifacts: [Artifact]
    /// Its bill of materials.
    public let sbom: Artifact?
    /// How far it has come.
    public let state: State
    /// Who made it.
    public let creatorName: String
    /// When it was made.
    public let created: Timestamp
    /// When it was published.
    public let published: Timestamp?
    /// When it was withdrawn.
    public let withdrawn: Timestamp?

    /// Whether a device of this hardware may get it; one that nobody knows is left to check for itself.
    func fits(_ known: String?) -> Bool { known.map { hardware.isEmpty || hardware.contains($0) } ?? true }

    /// Whether some hardware may get both.
    func sharesHardware(with other: Release) -> Bool {
        hardware.isEmpty || other.hardware.isEmpty || !Set(hardware).isDisjoint(with: other.hardware)
    }
}

/// What somebody says of a release that is being put together.
public struct ReleaseDraft: Sendable, Hashable {
    /// The component that it is a version of.
    public var component: Name
    /// What people call the version.
    public var version: String
    /// Where it stands among the component's versions; after the last one when nil.
    public var counter: Int64?
    /// The hardware that it fits; any when empty.
    public var hardware: [String]
    /// What is new in it.
    public var notes: String
    /// Until when it is looked after.
    public var supportEnds: Timestamp?
    /// Its files, in their order.
    public var artifacts: [ArtifactID]
    /// Its bill of materials: an artifact that is a CycloneDX document.
    public var sbom: ArtifactID?

    /// A version of a component.
    public init(
        component: Name, version: String, counter: Int64? = nil, hardware: [String] = [], notes: String = "",
        supportEnds: Timestamp? = nil, artifacts: [ArtifactID] = [], sbom: ArtifactID? = nil
    ) {
        self.component = component
        self.version = version
        self.counter = counter
        self.hardware = hardware
        self.notes = notes
        self.supportEnds = supportEnds
        self.artifacts = artifacts
        self.sbom = sbom
    }

    /// Refuses what no release can be, with every wrong place.
    func check() throws(Refusal) {
        var faults: [Refusal.Fault] = []
        func fault(_ place: String, _ message: String) { faults.append(.init(place: place, message: message)) }
        if !Self.isWord(version, atMost: OperationLimits.versionBytes) {
            fault("/version", "is 1 to \(OperationLimits.versionBytes) bytes without control characters")
        }
        if let counter, !(1...Int64(Int32.max)).contains(counter) { fault("/counter", "is 1 to \(Int32.max)") }
        if hardware.count > OperationLimits.hardware {
            fault("/hardware", "has at most \(OperationLimits.hardware) elements")
        }
        for (index, text) in hardware.enumerated() {
            if !Self.isWord(text, atMost: FleetLimits.hardwareBytes) {
                fault(
                    "/hardware/\(index)", "is 1 to \(FleetLimits.hardwareBytes) bytes without control characters")
            } else if hardware[..<index].contains(text) {
                fault("/hardware/\(index)", "is there already")
            }
        }
        if notes.utf8.count > OperationLimits.notesBytes {
            fault("/notes", "has at most \(OperationLimits.notesBytes) bytes")
        }
        if artifacts.count > OperationLimits.releaseArtifacts {
            fault("/artifacts", "has at most \(OperationLimits.releaseArtifacts) elements")
        }
        if Set(artifacts).count < artifacts.count { fault("/artifacts", "names an artifact twice") }
        guard faults.isEmpty else {
            throw Refusal(.invalid, "release.invalid", "The release is wrong in some places.", faults: faults)
        }
    }

    private static func isWord(_ text: String, atMost most: Int) -> Bool {
        (1...most).contains(text.utf8.count)
            && !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }
}
