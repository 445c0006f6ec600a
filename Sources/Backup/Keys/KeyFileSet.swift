import Base
import FoundationEssentials
import Trust

/// The files of `keys/` and `trust/` at one moment, by name.
struct KeyFileSet: Equatable {
    private static let folders = ["keys", "trust"]

    let contents: [String: [UInt8]]

    /// Reads the files as they are now.
    ///
    /// A rotation changes several of them one after the other: only two equal readings, one after the other, prove that
    /// all of them stood so together at a moment between the two.
    init(reading layout: DataLayout) throws {
        var contents: [String: [UInt8]] = [:]
        for folder in Self.folders {
            let directory = "\(layout.directory)/\(folder)"
            guard SecretFile.exists(directory) else { continue }
            for name in try FileManager.default.contentsOfDirectory(atPath: directory) where Self.isFileName(name) {
                guard contents.count < Limits.keyFiles else {
                    throw Refusal(.tooLarge, "backup.tooManyKeys", "\(directory) holds more files than keys can be.")
                }
                contents["\(folder)/\(name)"] = try InputFile.contents(
                    of: "\(directory)/\(name)", limit: Limits.keyFileBytes)
            }
        }
        self.contents = contents
    }

    /// The files in a bundle, or nil when one has a name that none can have.
    init?(_ members: [String: JSONValue]) {
        var contents: [String: [UInt8]] = [:]
        for (name, value) in members {
            let steps = name.split(separator: "/", omittingEmptySubsequences: false)
            guard steps.count == 2, Self.folders.contains(String(steps[0])), Self.isFileName(steps[1]),
                let bytes = value.string.flatMap({ [UInt8](hex: $0) })
            else { return nil }
            contents[name] = bytes
        }
        self.contents = contents
    }

    /// Writes the files below `directory`, with the modes that the server demands.
    func write(below directory: String) throws {
        try SecretFile.createDirectory("\(directory)/keys", for: .owner)
        try SecretFile.createDirectory("\(directory)/trust", for: .everybody)
        for (name, bytes) in contents {
            try SecretFile.replace(
                "\(directory)/\(name)", with: bytes, for: name.hasPrefix("trust/") ? .everybody : .owner)
        }
    }

    /// A file that counts: not hidden, and none that is still being written.
    private static func isFileName(_ name: some StringProtocol) -> Bool {
        guard (1...128).contains(name.utf8.count), !name.hasPrefix("."), !name.hasSuffix(".tmp") else { return false }
        return name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }
    }
}
