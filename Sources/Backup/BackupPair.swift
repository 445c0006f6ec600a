public import Base
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The two files of one backup: the archive with the data, and the bundle with the keys.
///
/// Both are named by the moment and the identifier, so that they find each other and sort by age:
/// `tidegate-20261121T061500Z-5f0c2a91.backup` and `….keys`.
public struct BackupPair: Sendable, Hashable {
    /// The name that both files share, without its ending.
    public let name: String
    /// The archive's path.
    public let archive: String
    /// The key bundle's path.
    public let keys: String
    /// When the backup was begun.
    public let created: Timestamp

    /// The pair of the backup `id`, begun at `created`, in these directories.
    init(id: [UInt8], created: Timestamp, archivesIn directory: String, keysIn keysDirectory: String) {
        self.init(name: Self.name(id: id, created: created), created: created, directory, keysDirectory)
    }

    /// The name of the backup `id`, begun at `created`.
    static func name(id: [UInt8], created: Timestamp) -> String {
        let moment = created.rfc3339.prefix(19).filter { $0 != "-" && $0 != ":" }
        return "tidegate-\(moment)Z-\(id.prefix(4).hex)"
    }

    /// The pair with this name, or nil when no backup is named so.
    init?(name: some StringProtocol, archivesIn directory: String, keysIn keysDirectory: String) {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "tidegate", [UInt8](hex: parts[2])?.count == 4 else { return nil }
        let digits = Array(parts[1])
        guard digits.count == 16, digits[8] == "T" else { return nil }
        let text = { (range: Range<Int>) in String(digits[range]) }
        let moment =
            "\(text(0..<4))-\(text(4..<6))-\(text(6..<8))T\(text(9..<11)):\(text(11..<13)):\(text(13..<15))\(digits[15])"
        guard let created = Timestamp(rfc3339: moment) else { return nil }
        self.init(name: String(name), created: created, directory, keysDirectory)
    }

    private init(name: String, created: Timestamp, _ directory: String, _ keysDirectory: String) {
        self.name = name
        self.created = created
        archive = "\(directory)/\(name).backup"
        keys = "\(keysDirectory)/\(name).keys"
    }

    /// The backups in `directory`, the oldest first; none when there is no such directory.
    public static func list(in directory: String, keysIn keysDirectory: String? = nil) throws -> [BackupPair] {
        guard FileStatus(of: directory) != nil else {
            guard errno == ENOENT else { throw Refusal.file("read", directory) }
            return []
        }
        return try FileManager.default.contentsOfDirectory(atPath: directory)
            .filter { $0.hasSuffix(".backup") }
            .compactMap { BackupPair(name: $0.dropLast(7), archivesIn: directory, keysIn: keysDirectory ?? directory) }
            .sorted { $0.name < $1.name }
    }

    /// The pair that `path` means: an archive, or the newest one in a directory; `keys` names the bundle when it lies
    /// elsewhere, `keysDirectory` where bundles of their archive's name lie.
    public static func find(
        _ path: String, keys: String? = nil, keysIn keysDirectory: String? = nil
    ) throws -> (archive: String, keys: String) {
        guard let status = FileStatus(of: path) else { throw Refusal.file("read", path) }
        guard status.isDirectory else {
            let beside = path.hasSuffix(".backup") ? "\(path.dropLast(7)).keys" : "\(path).keys"
            return (path, keys ?? beside)
        }
        guard let newest = try list(in: path, keysIn: keysDirectory).last else {
            throw Refusal(.notFound, "backup.none", "There is no backup in \(path): no file there ends in .backup.")
        }
        return (newest.archive, keys ?? newest.keys)
    }

    /// Removes the oldest backups in `directory` until `keep` are left, and answers which.
    @discardableResult
    static func prune(in directory: String, keysIn keysDirectory: String, keep: Int) throws -> [BackupPair] {
        let old = try list(in: directory, keysIn: keysDirectory).dropLast(max(keep, 1))
        for pair in old {
            // The archive first: a bundle alone is small and harmless, an archive alone would look like a backup.
            for path in [pair.archive, pair.keys] where unlink(path) != 0 && errno != ENOENT {
                throw Refusal.file("remove", path)
            }
        }
        return Array(old)
    }
}
