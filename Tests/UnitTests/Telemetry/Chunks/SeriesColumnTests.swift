import Base
import Testing

@testable import Telemetry

/// What takes long lets others have its thread now and then: all tests share few of them, and clients elsewhere wait.
@Suite struct SeriesColumnTests {
    static let tenant = TenantID(high: 1, low: 2)
    static let device = DeviceID(high: 3, low: 4)

    /// What the points are, computed the slow way: the last value of each time, in its one form.
    private func oracle(_ arrivals: [SeriesColumn.Arrival]) -> [Int64: DecimalNumber] {
        var expected: [Int64: DecimalNumber] = [:]
        for arrival in arrivals {
            expected[arrival.milliseconds] = DecimalNumber(arrival.mantissa, exponent: arrival.exponent)
        }
        return expected
    }

    private func points(_ column: SeriesColumn) -> [Int64: DecimalNumber] {
        var found: [Int64: DecimalNumber] = [:]
        for index in column.times.indices {
            found[column.times[index]] = DecimalNumber(column.mantissas[index], exponent: column.exponent(at: index))
        }
        return found
    }

    /// Stores the columns and reads them back.
    private func stored(_ columns: [UInt32: SeriesColumn]) throws -> HourColumns {
        var whole = HourColumns(hour: 5, columns: [:])
        for bytes in try HourColumns(hour: 5, columns: columns).encoded(tenant: Self.tenant, device: Self.device) {
            let chunk = try Chunk(bytes, at: ChunkPlace(tenant: Self.tenant, device: Self.device, hour: 5))
            whole.overlay(try HourColumns(chunk: chunk, hour: 5))
        }
        return whole
    }

    enum Digits: CaseIterable {
        case meter, anyExponent, extremes, mixed

        func value(using generator: inout SeededGenerator) -> (exponent: Int8, mantissa: Int64) {
            switch self {
            case .meter: (-1, .random(in: -5000...5000, using: &generator))
            case .anyExponent: (.random(in: .min ... .max, using: &generator), .random(in: -99...99, using: &generator))
            case .extremes:
                (
                    [Int8.min, -19, -18, -1, 0, 1, 18, 19, .max].randomElement(using: &generator) ?? 0,
                    [Int64.min, .min + 1, -10, -1, 0, 1, 10, 1_000_000_000_000_000_000, .max].randomElement(
                        using: &generator) ?? 0
                )
            case .mixed:
                Bool.random(using: &generator)
                    ? (-2, .random(in: 0...9999, using: &generator))
                    : (.random(in: -20...20, using: &generator), .random(in: .min ... .max, using: &generator))
            }
        }
    }

    private func arrivals(_ digits: Digits, using generator: inout SeededGenerator) -> [SeriesColumn.Arrival] {
        (0..<Int.random(in: 1...60, using: &generator)).map { _ in
            let value = digits.value(using: &generator)
            return (.random(in: 0...40, using: &generator), value.exponent, value.mantissa)
        }
    }

    @Test("whatever their digits, values come back exactly, stored or laid over each other", arguments: Digits.allCases)
    func exactness(digits: Digits) async throws {
        var generator = SeededGenerator(seed: 77)
        for round in 0..<400 {
            await Task.yield()
            let (early, late) = (arrivals(digits, using: &generator), arrivals(digits, using: &generator))
            let (first, second) = (SeriesColumn(arrivals: early), SeriesColumn(arrivals: late))
            #expect(points(first) == oracle(early), "round \(round)")
            #expect(first.times == oracle(early).keys.sorted(), "round \(round)")
            let expected = oracle(early + late)
            let both = first.overlaid(by: second)
            #expect(points(both) == expected && both.times == expected.keys.sorted(), "round \(round)")
            let found = try stored([7: both, 9: first])
            #expect(found.columns[7].map(points) == expected, "round \(round)")
            #expect(found.columns[9].map(points) == oracle(early), "round \(round)")
        }
    }

    @Test("no fewer strands would do", arguments: Digits.allCases)
    func fewest(digits: Digits) async {
        var generator = SeededGenerator(seed: 3)
        for round in 0..<300 {
            await Task.yield()
            let column = SeriesColumn(arrivals: Array(arrivals(digits, using: &generator).prefix(4)))
            let numbers = column.times.indices.map {
                DecimalNumber(column.mantissas[$0], exponent: column.exponent(at: $0))
            }
            /// Whether all of these have a whole mantissa at one exponent.
            func share(_ numbers: [DecimalNumber]) -> Bool {
                (Int8.min...Int8.max).contains { exponent in
                    numbers.allSatisfy { (try? $0.mantissa(at: exponent, rounding: .refuse)) != nil }
                }
            }
            /// Every way to put up to four numbers into `count` groups.
            func fits(into count: Int) -> Bool {
                var ways = 1
                for _ in numbers { ways *= count }
                return (0..<ways).contains { way in
                    var groups = Array(repeating: [DecimalNumber](), count: count)
                    var rest = way
                    for number in numbers {
                        groups[rest % count].append(number)
                        rest /= count
                    }
                    return groups.allSatisfy(share)
                }
            }
            let strands = column.strands.count
            #expect(fits(into: strands), "round \(round)")
            if strands > 1 { #expect(!fits(into: strands - 1), "round \(round)") }
        }
    }

    @Test("one absurd value leaves its neighbours as they are, and zero has no sign")
    func absurd() throws {
        let column = SeriesColumn(arrivals: [(0, -1, 1), (1, -1, 215), (2, 0, 1 << 62), (3, -1, 216), (4, 0, 0)])
        let texts = try stored([1: column]).columns[1].map { found in
            found.times.indices.map {
                DecimalNumber(found.mantissas[$0], exponent: found.exponent(at: $0)).description
            }
        }
        #expect(texts == ["0.1", "21.5", "4611686018427387904", "21.6", "0"])
        for text in ["-0", "-0.0", "-0e9", "-0.000"] { #expect(try DecimalNumber(text: text) == .zero) }
        #expect(try DecimalNumber(shortest: -0.0) == .zero)
    }

    @Test("the exponent of values that share one is the finest among them")
    func common() {
        let column = SeriesColumn(arrivals: [(0, 0, 5), (1, -2, 123), (2, -1, 7)])
        #expect(column.exponents == .common(-2) && column.mantissas == [500, 123, 70])
    }

    @Test("more series or points than a chunk holds go into several")
    func manySeries() async throws {
        let one = SeriesColumn(exponent: 0, times: [1], mantissas: [2])
        let columns = Dictionary(uniqueKeysWithValues: (0..<5000 as Range<UInt32>).map { ($0, one) })
        #expect(try HourColumns(hour: 5, columns: columns).encoded(tenant: Self.tenant, device: Self.device).count == 2)
        #expect(try stored(columns).columns == columns)
        await Task.yield()
        let count = Int64(ChunkLimits.points) + 3
        let long = SeriesColumn(exponent: 0, times: Array(0..<count), mantissas: Array(0..<count))
        #expect(try stored([1: long]).columns == [1: long])
        #expect(try HourColumns(hour: 5, columns: [:]).encoded(tenant: Self.tenant, device: Self.device).isEmpty)
    }
}
