import Base

/// What a client says that its device has: a release's component and version, in hawkBit's words the name and version of
/// a distribution set.
struct DDIInstalled: Hashable, Sendable {
    let name: String
    let version: String

    /// The release in a body; throws what is wrong with it.
    init(_ body: [UInt8]) throws(Refusal) {
        let json = try DDIBody.object(body, "ddi.installed")
        guard let name = json["name"]?.string, let version = json["version"]?.string, !name.isEmpty, !version.isEmpty
        else { throw Refusal(.invalid, "ddi.installed", "Name what is installed by the texts name and version.") }
        self.name = name
        self.version = version
    }
}
