import Testing

@testable import Telemetry

@Suite struct DaySummaryTests {
    private func entries(_ column: SeriesColumn, hour: UInt32, series: UInt32) -> [DaySummary.Entry] {
        column.summaries.map { DaySummary.Entry(hour: hour, series: series, points: $0) }
    }

    @Test("what was summed up is read back, and later readings are added")
    func roundTrip() throws {
        var summary = DaySummary()
        let early = SeriesColumn(arrivals: [(10, -1, 5), (20, 0, .max), (30, -1, -7)])
        summary.add([HourColumns(hour: 491_000, columns: [3: early])], writtenThrough: 77)
        let read = try #require(DaySummary(encoded: summary.encoded()))
        #expect(read.entries == entries(early, hour: 491_000, series: 3) && read.through == 77)
        var more = read
        let late = SeriesColumn(arrivals: [(5, -1, 1), (40, -1, 9)])
        more.add([HourColumns(hour: 491_000, columns: [3: late])], writtenThrough: 90)
        let both = try #require(DaySummary(encoded: more.encoded()))
        let fine = try #require(both.entries.first { $0.points.exponent == -1 }?.points)
        #expect(
            fine
                == PointSummary(
                    count: 4, exponent: -1, sum: 8, minimum: -7, maximum: 9, first: 1, last: 9, firstTime: 5,
                    lastTime: 40))
        #expect(both.entries.count == 2 && both.through == 90)
    }

    @Test("version 1, which knew no times, is read as the whole hour")
    func versionOne() throws {
        // Hour 5, series 2, exponent -1, three values with the sum 60 between 10 and 30, from 30 to 20.
        let summary = try #require(DaySummary(encoded: [1, 5, 2, 127, 3, 0, 60, 20, 60, 60, 40]))
        let points = PointSummary(
            count: 3, exponent: -1, sum: 60, minimum: 10, maximum: 30, first: 30, last: 20, firstTime: 0,
            lastTime: 3_599_999)
        #expect(summary.entries == [DaySummary.Entry(hour: 5, series: 2, points: points)] && summary.through == 0)
    }

    @Test("damaged summaries are refused and never trap")
    func damage() throws {
        #expect(DaySummary(encoded: []) == nil && DaySummary(encoded: [3]) == nil && DaySummary(encoded: [2]) == nil)
        #expect(DaySummary(encoded: [1, 5, 2, 127, 3, 0, 60, 20, 60, 60]) == nil, "cut off")
        #expect(DaySummary(encoded: [1, 5, 2, 127, 0, 0, 60, 20, 60, 60, 40]) == nil, "no values")
        #expect(DaySummary(encoded: [1, 5, 2, 127, 3, 0, 60, 20, 40, 60, 40]) == nil, "a first above the maximum")
        var summary = DaySummary()
        let column = SeriesColumn(arrivals: [(10, -1, 5), (20, 0, .max), (30, -1, -7)])
        summary.add([HourColumns(hour: 491_000, columns: [3: column])], writtenThrough: 77)
        let whole = summary.encoded()
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<20_000 {
            var bytes = whole
            bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255, using: &generator)
            _ = DaySummary(encoded: bytes)
        }
    }
}
