import Base
import Foundation
import Storage
import Testing

@testable import Telemetry

/// Stepped queries take whole chunks and ended hours by their summaries; here they must say what every point says.
@Suite("Stepped queries against a slow oracle")
struct SteppedQueryTests {
    typealias Harness = TelemetryHarness

    /// Every point that was acknowledged, the last of each time.
    struct Truth {
        var points: [Int64: DecimalNumber] = [:]

        /// What a stepped query must answer, point by point.
        func steps(_ aggregate: Aggregate, from: Int64, to: Int64, step: Int64) -> [String] {
            let asked = points.filter { $0.key >= from && $0.key < to }
            let steps = Dictionary(grouping: asked) { $0.key - $0.key % step }
            return steps.sorted { $0.key < $1.key }.map { start, points in
                let values = points.sorted { $0.key < $1.key }.map(\.value)
                return "\(start): \(Self.text(of: aggregate, values))"
            }
        }

        private static func text(of aggregate: Aggregate, _ values: [DecimalNumber]) -> String {
            let wide = values.map { number in
                (0..<Int(number.exponent) + 5).reduce(Int128(number.mantissa)) { value, _ in value * 10 }
            }
            let order = values.indices.sorted { wide[$0] < wide[$1] }
            let sum = Double(wide.reduce(0, +)) / 100_000
            switch aggregate {
            case .count: return "\(values.count)"
            case .first: return values[0].description
            case .last: return values[values.count - 1].description
            case .min: return values[order[0]].description
            case .max: return values[order[order.count - 1]].description
            case .sum: return "\(sum)"
            case .mean: return "\(sum / Double(values.count))"
            }
        }
    }

    /// Sums and means are compared as floats, all else as text.
    private func same(_ found: [String], _ expected: [String], _ aggregate: Aggregate) -> Bool {
        guard aggregate == .sum || aggregate == .mean else { return found == expected }
        guard found.count == expected.count else { return false }
        return zip(found, expected).allSatisfy { found, expected in
            let (left, right) = (found.split(separator: ": "), expected.split(separator: ": "))
            guard left.count == 2, right.count == 2, left[0] == right[0], let mine = Double(left[1]),
                let theirs = Double(right[1])
            else { return false }
            return abs(mine - theirs) <= max(abs(theirs), 1) * 1e-9
        }
    }

    static let start = TelemetryHarness.noon.milliseconds
    static let hour: Int64 = 3_600_000
    static let rules = SeriesRules(past: .seconds(20_000 * 86_400))

    /// Sends some points between two hours, most with one decimal place, some with digits that share no exponent.
    private func report(
        _ count: Int, hours: Range<Int64>, to harness: Harness, _ truth: inout Truth,
        using generator: inout TelemetryTestRandom
    ) async throws {
        var readings: [String] = []
        for _ in 0..<count {
            let time =
                Self.start + Int64.random(in: hours.lowerBound * 120..<hours.upperBound * 120, using: &generator)
                * 30_000
            let number: DecimalNumber
            switch Int.random(in: 0..<40, using: &generator) {
            case 0: number = DecimalNumber(.random(in: -99...99, using: &generator), exponent: 17)
            case 1: number = DecimalNumber(.random(in: -9...9, using: &generator), exponent: -5)
            default: number = DecimalNumber(.random(in: -30_000...30_000, using: &generator), exponent: -1)
            }
            truth.points[time] = number
            readings.append(#"{"ts":\#(time),"values":{"power":\#(number)}}"#)
        }
        try await harness.report("[\(readings.joined(separator: ","))]", rules: Self.rules)
    }

    private func check(
        _ harness: Harness, _ truth: Truth, hours: Int64, steps: [Int64], whole: Bool, rounds: Int,
        using generator: inout TelemetryTestRandom, _ comment: Comment
    ) async throws {
        for _ in 0..<rounds {
            var from = Int64.random(in: -hours * Self.hour / 8..<hours * Self.hour, using: &generator) + Self.start
            var to = from + .random(in: 1...hours * Self.hour, using: &generator)
            let step = steps.randomElement(using: &generator) ?? Self.hour
            let aggregate = Aggregate.allCases.randomElement(using: &generator) ?? .mean
            if whole { (from, to) = (from - from % Self.hour, to - to % Self.hour + Self.hour) }
            let found = try await harness.points(
                "power", from: Timestamp(microseconds: from * 1000), to: Timestamp(microseconds: to * 1000),
                step: .milliseconds(step), aggregates: [aggregate])
            let expected = truth.steps(aggregate, from: from, to: to, step: step)
            #expect(same(found, expected, aggregate), "\(comment): \(aggregate) from \(from) to \(to) by \(step)")
        }
    }

    @Test(
        "late, repeated, doubled and absurd readings, in memory, chunks and ended days, are summed up as they are",
        arguments: TestDatabase.engines)
    func oracle(engine: TestDatabase.Engine) async throws {
        try await withTemporaryDirectory { directory in
            try await engine.withDatabase([TelemetrySchema.part]) { database in
                try await Self().walk(directory, database)
            }
        }
    }

    private func walk(_ directory: String, _ database: Database) async throws {
        var generator = TelemetryTestRandom(seed: 1234)
        let now = Harness.TestTime(Harness.noon)
        var harness = try await Harness.open(directory: directory, database: database, now: now)
        var truth = Truth()
        let any: [Int64] = [45_000, 60_000, 600_000, Self.hour, 5 * Self.hour, 24 * Self.hour, 168 * Self.hour]
        // Three days: mostly new readings, some late ones, written, folded and restarted now and then.
        for quarter in 0..<12 as Range<Int64> {
            now.set(Harness.noon + .seconds(Int64(quarter + 1) * 6 * 3600))
            try await report(150, hours: quarter * 6..<quarter * 6 + 6, to: harness, &truth, using: &generator)
            if quarter % 3 == 1 { try await harness.telemetry.flush() }
            if quarter % 2 == 1 {
                try await report(30, hours: 0..<quarter * 6, to: harness, &truth, using: &generator)
            }
            if quarter % 5 == 3 {
                try await harness.telemetry.flush()
                try await harness.telemetry.keep()
            }
            if quarter == 6 { harness = try await Harness.open(directory: directory, database: database, now: now) }
            try await check(
                harness, truth, hours: 72, steps: any, whole: false, rounds: 12, using: &generator, "quarter \(quarter)"
            )
        }
        // The days end: hours remain.
        try await harness.telemetry.flush()
        now.set(Harness.noon + .seconds(3652 * 86_400))
        try await harness.telemetry.keep()
        let partitions = try await database.platform.read { try $0.row("SELECT COUNT(*) FROM telemetry_day")?.int(0) }
        let hourly = [Self.hour, 5 * Self.hour, 24 * Self.hour, 168 * Self.hour]
        try await check(
            harness, truth, hours: 72, steps: hourly, whole: true, rounds: 40, using: &generator, "ended")
        #expect(partitions == 2, "two of four days have not ended")
        // Later readings of ended days are laid beside what remains; a restart in between doubles nothing.
        let before = truth.points
        var late = Truth()
        while late.points.count < 40 {
            var more = Truth()
            try await report(1, hours: 0..<36, to: harness, &more, using: &generator)
            late.points.merge(more.points) { $1 }
        }
        // What repeats a time of an ended reading can not be told from a new one, so only new times are checked.
        let isRepeated = !Set(before.keys).isDisjoint(with: late.points.keys)
        let hours = Set(late.points.keys.filter { before[$0] != nil }.map { $0 - $0 % Self.hour })
        #expect(isRepeated == !hours.isEmpty)
        truth.points.merge(late.points) { $1 }
        let untouched = Truth(points: truth.points.filter { !hours.contains($0.key - $0.key % Self.hour) })
        func checkLate(_ comment: Comment) async throws {
            for hour in 0..<36 as Range<Int64> where !hours.contains(Self.start + hour * Self.hour) {
                let from = Self.start + hour * Self.hour
                let found = try await harness.points(
                    "power", from: Timestamp(microseconds: from * 1000),
                    to: Timestamp(microseconds: (from + Self.hour) * 1000), step: .seconds(3600),
                    aggregates: [.count])
                #expect(found == untouched.steps(.count, from: from, to: from + Self.hour, step: Self.hour), comment)
            }
        }
        try await checkLate("late, in memory")
        try await harness.telemetry.flush()
        try await checkLate("late, in chunks")
        harness = try await Harness.open(directory: directory, database: database, now: now)
        #expect(harness.telemetry.openBytes == 0, "chunks hold everything, so nothing is taken again")
        try await harness.telemetry.keep()
        try await harness.telemetry.keep()
        try await checkLate("late, ended")
        try await harness.telemetry.close()
    }

    @Test("a tenant's readings that its plan ends leave their hours behind", arguments: TestDatabase.engines)
    func plan(engine: TestDatabase.Engine) async throws {
        try await withTemporaryDirectory { directory in
            try await engine.withDatabase([TelemetrySchema.part]) { database in
                let now = Harness.TestTime(Harness.noon)
                let harness = try await Harness.open(directory: directory, database: database, now: now)
                try await harness.report(
                    #"[{"ts":1772366400000,"values":{"power":1}},{"ts":1772366401000,"values":{"power":2.5}}]"#)
                try await harness.telemetry.flush()
                now.set(Harness.noon + .seconds(40 * 86_400))
                for _ in 0..<2 {
                    try await harness.telemetry.retire(tenant: harness.tenant, olderThan: .seconds(30 * 86_400))
                }
                #expect(try await harness.points("power").isEmpty)
                #expect(
                    try await harness.points("power", step: .seconds(86_400), aggregates: [.sum, .last]) == [
                        "1772323200000: 3.5", "1772323200000: 2.5",
                    ])
                #expect(try await harness.points("power", step: .seconds(60)).isEmpty, "minutes have ended")
                // Half an hour cuts the hour's points in two; of these nobody knows more than the hour.
                let middle = Harness.noon + .microseconds(500_000)
                #expect(try await harness.points("power", from: middle, step: .seconds(3600)).isEmpty)
                try await harness.report(#"{"ts":1772370000000,"values":{"power":4}}"#, rules: Self.rules)
                try await harness.telemetry.flush()
                try await harness.telemetry.retire(tenant: harness.tenant, olderThan: .seconds(30 * 86_400))
                #expect(
                    try await harness.points("power", step: .seconds(86_400), aggregates: [.count, .max]) == [
                        "1772323200000: 3", "1772323200000: 4",
                    ])
                try await harness.telemetry.remove(tenant: harness.tenant, device: harness.device)
                #expect(try await harness.points("power", step: .seconds(86_400)).isEmpty)
                try await harness.telemetry.close()
            }
        }
    }

    @Test("a log without its segments goes on behind the mark, so that nothing new is taken for old")
    func mark() async throws {
        try await withTemporaryDirectory { directory in
            try await TestDatabase.Engine.sqlite.withDatabase([TelemetrySchema.part]) { database in
                let now = Harness.TestTime(Harness.noon)
                let first = try await Harness.open(directory: directory, database: database, now: now)
                for second in 0..<5 {
                    try await first.report(
                        #"{"ts":\#(Self.start + Int64(second) * 1000),"values":{"power":\#(second)}}"#)
                }
                try await first.telemetry.close()
                for name in try FileManager.default.contentsOfDirectory(atPath: directory) where name.hasSuffix(".seg")
                {
                    try FileManager.default.removeItem(atPath: "\(directory)/\(name)")
                }
                let second = try await Harness.open(directory: directory, database: database, now: now)
                try await second.report(#"{"ts":\#(Self.start + 9000),"values":{"power":9}}"#)
                // Not closed, as after kill -9.
                let third = try await Harness.open(directory: directory, database: database, now: now)
                #expect(try await third.points("power").count == 6)
                try Data("nonsense".utf8).write(to: URL(filePath: "\(directory)/flushed"))
                let fourth = try await Harness.open(directory: directory, database: database, now: now)
                #expect(try await fourth.points("power").count == 6)
            }
        }
    }
}
