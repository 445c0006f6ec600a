import FoundationEssentials
import Synchronization

/// The partitions of one database, such as telemetry's days, that are open now.
final class Partitions: Sendable {
    /// Where partitions live.
    enum Place: Sendable {
        /// A SQLite file each.
        case files(directory: String)
        /// A SQLite database in memory each, held until dropped.
        case memory
        /// All in the main database, whose tables carry a column for it.
        case shared
        /// Nowhere: this is a partition itself.
        case none
    }

    private struct Entry {
        weak var database: Database?
        /// Keeps a database that would vanish with its last reference.
        var held: Database?
    }

    let place: Place
    private let open = Mutex<[String: Entry]>([:])
    /// Partitions whose schema this process has brought up to date, with the parts that made it: once is enough.
    private let current = Mutex<[String: [String]]>([:])

    init(_ place: Place) {
        self.place = place
    }

    /// The open partition, when there is one.
    func database(_ name: String) -> Database? { open.withLock { $0[name]?.database } }

    /// Notes an opened partition, or gives the one that somebody else opened meanwhile.
    func keep(_ database: Database, _ name: String, isHeld: Bool) -> Database {
        open.withLock { open in
            if let other = open[name]?.database { return other }
            open = open.filter { $0.value.database != nil }
            open[name] = Entry(database: database, held: isHeld ? database : nil)
            return database
        }
    }

    /// Whether this process has already migrated the partition with these parts.
    func isCurrent(_ name: String, _ parts: [MigrationPart]) -> Bool {
        current.withLock { $0[name] == parts.map(\.name) }
    }

    /// Notes that the partition's schema is that of these parts.
    func noteCurrent(_ name: String, _ parts: [MigrationPart]) {
        current.withLock { $0[name] = parts.map(\.name) }
    }

    /// Forgets a partition and gives it when it is open.
    func forget(_ name: String) -> Database? {
        current.withLock { $0[name] = nil }
        return open.withLock { $0.removeValue(forKey: name)?.database }
    }

    /// Forgets all partitions and gives those that are open.
    func forgetAll() -> [Database] {
        open.withLock { open in
            defer { open = [:] }
            return open.values.compactMap(\.database)
        }
    }

    /// Refuses a name that is no safe file name.
    static func check(_ name: String) throws {
        let allowed = name.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
        }
        guard allowed, (1...64).contains(name.utf8.count) else {
            throw StorageError(.misuse, "a partition's name is 1 to 64 of a-z, 0-9, - and _")
        }
    }
}

extension Database {
    /// The partition called `name`, opened on demand with the schema of `parts`.
    ///
    /// On SQLite it is a file of its own, closed when the last reference goes. On PostgreSQL it is this same database:
    /// the tables carry a column for the partition, and the owner of the rows deletes by it.
    public func partition(named name: String, _ parts: [MigrationPart]) async throws -> Database {
        try Partitions.check(name)
        let key = kind == .postgres ? "" : name
        if let database = partitions.database(key) { return database }
        let opened: Database
        switch partitions.place {
        case .files(let directory):
            if !options.isReadOnly { try FileManager.default.makeDirectory(directory) }
            let engine = try await SQLiteEngine.open(path: "\(directory)/\(name).db", options)
            opened = Database(engine, options, Partitions(.none))
        case .memory:
            opened = Database(try await SQLiteEngine.open(path: nil, options), options, Partitions(.none))
        case .shared:
            opened = Database(engine, options, Partitions(.none), ownsEngine: false)
        case .none:
            throw StorageError(.misuse, "a partition has no partitions")
        }
        if options.isReadOnly || kind == .sqlite && !isInMemory && partitions.isCurrent(key, parts) {
            try opened.assumeMigrated(parts)
        } else {
            try await opened.migrate(parts)
            partitions.noteCurrent(key, parts)
        }
        return partitions.keep(opened, key, isHeld: key.isEmpty || kind == .sqlite && isInMemory)
    }

    /// Drops the partition with all its rows on SQLite; does nothing on PostgreSQL, where the owner deletes the rows.
    public func dropPartition(named name: String) async throws {
        try Partitions.check(name)
        guard kind == .sqlite else { return }
        await partitions.forget(name)?.close()
        guard case .files(let directory) = partitions.place else { return }
        for suffix in ["-wal", "-shm", ""] {
            try FileManager.default.removeIfPresent("\(directory)/\(name).db\(suffix)")
        }
        // Who opened it meanwhile holds a file that is gone; the next who does makes a new one.
        _ = partitions.forget(name)
    }

    private var isInMemory: Bool {
        if case .memory = partitions.place { true } else { false }
    }
}

extension FileManager {
    fileprivate func makeDirectory(_ path: String) throws {
        do {
            try createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw StorageError(.unavailable, "the directory of the partitions can not be made", cause: error)
        }
    }

    fileprivate func removeIfPresent(_ path: String) throws {
        guard fileExists(atPath: path) else { return }
        do {
            try removeItem(atPath: path)
        } catch {
            throw StorageError(.unavailable, "a dropped partition's file can not be removed", cause: error)
        }
    }
}
