/// One step of a part's schema: plain SQL in the dialect that both engines share, never changed once released.
public struct Migration: Sendable {
    /// Its place in the part, counted from 1 without gaps.
    public let number: Int
    /// What it does, for people.
    public let title: String
    /// Its statements, separated by `;`.
    public let sql: String

    /// The step with this number, title and SQL.
    public init(_ number: Int, _ title: String, _ sql: String) {
        self.number = number
        self.title = title
        self.sql = sql
    }

    /// The 64-bit FNV-1a hash of the SQL. It guards against accidents (an edited old migration), not attackers: who
    /// can change the program needs no collision.
    var checksum: Int64 {
        var hash = FNV1a()
        hash.add(Array(sql.utf8)[...])
        return Int64(bitPattern: hash.value)
    }
}

/// The schema of one part of the program, as numbered migrations.
public struct MigrationPart: Sendable {
    /// The part's name, such as `fleet`.
    public let name: String
    /// Its migrations in order.
    public let migrations: [Migration]

    /// The schema of the part called `name`.
    public init(_ name: String, _ migrations: [Migration]) {
        self.name = name
        self.migrations = migrations
    }

    /// The part with only its first `count` migrations.
    func prefix(_ count: Int) -> MigrationPart {
        MigrationPart(name, Array(migrations.prefix(count)))
    }
}

/// The 64-bit FNV-1a hash (Fowler, Noll, Vo): small, fast enough, and the same everywhere.
struct FNV1a {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ bytes: UnsafeBufferPointer<UInt8>) {
        var hash = value
        var index = 0
        // A plain loop over memory, so that a debug build is not a hundred times slower.
        while index < bytes.count {
            hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3
            index += 1
        }
        value = hash
    }

    mutating func add(_ bytes: ArraySlice<UInt8>) { bytes.withUnsafeBufferPointer { add($0) } }
}
