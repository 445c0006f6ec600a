import Base
import Storage
import Telemetry

/// Opens and decodes every chunk of a database, and looks that each series it names has a name.
struct ChunkExamination {
    let database: Database
    private(set) var chunks = 0
    private(set) var points = 0
    private(set) var problems = Problems()

    init(database: Database) {
        self.database = database
    }

    /// This examination, done.
    consuming func run() async throws -> ChunkExamination {
        let stored = StoredChunks(database: database)
        let series = try await database.platform.read { transaction in
            var known: [[UInt8]: Set<Int64>] = [:]
            try transaction.acrossTenants.forEach("SELECT tenant, number FROM series") {
                known[try $0.blob(0), default: []].insert(try $0.integer(1))
            }
            return known
        }
        for name in try await stored.partitions {
            let found = try await stored.partition(name).platform.read { transaction in
                var found = ChunkExamination.Findings()
                try transaction.acrossTenants.forEach("SELECT tenant, device, hour, part, written, body FROM chunk") {
                    found.take(try ChunkRow($0), series)
                }
                return found
            }
            chunks += found.chunks
            points += found.points
            for problem in found.problems.listed { problems.add(problem) }
            problems.addUnlisted(found.problems.count - found.problems.listed.count)
        }
        return self
    }

    private struct Findings: Sendable {
        var chunks = 0
        var points = 0
        var problems = Problems()
        /// Series without a name, each a problem once.
        private var nameless: Set<[UInt8]> = []

        mutating func take(_ row: ChunkRow, _ series: [[UInt8]: Set<Int64>]) {
            chunks += 1
            let place =
                "chunk of device \(row.device.hex), tenant \(row.tenant.hex), hour \(row.hour), part \(row.part)"
            do {
                for column in try Chunk(row.body, at: row.place).points() {
                    points += column.times.count
                    if series[row.tenant]?.contains(Int64(column.series)) != true,
                        nameless.insert(row.tenant + ArchiveRecord.bytes(UInt64(column.series), width: 4)).inserted
                    {
                        problems.add("\(place): series \(column.series) has no name")
                    }
                }
            } catch {
                problems.add("\(place): \(error.rawValue)")
            }
        }
    }
}
