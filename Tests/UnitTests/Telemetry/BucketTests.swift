import Testing

@testable import Telemetry

@Suite struct BucketTests {
    /// A step's answers, computed the slow way in 128 bits at the finest exponent of all.
    private func expected(_ points: [(time: Int64, exponent: Int8, mantissa: Int64)], _ aggregate: Aggregate) -> String
    {
        let wide = points.sorted { $0.time < $1.time }.map { point in
            (0..<Int(point.exponent) + 6).reduce(Int128(point.mantissa)) { value, _ in value * 10 }
        }
        func text(_ value: Int128) -> String { DecimalNumber(Int64(value), exponent: -6).description }
        switch aggregate {
        case .count: return "\(points.count)"
        case .first: return text(wide[0])
        case .last: return text(wide[wide.count - 1])
        case .min: return text(wide.min() ?? 0)
        case .max: return text(wide.max() ?? 0)
        case .sum: return text(wide.reduce(0, +))
        case .mean: return PointValue.binary(Double(wide.reduce(0, +)) / (1_000_000 * Double(points.count))).description
        }
    }

    @Test(
        "points of any exponents, alone or summed up, in any order, give the exact answers",
        arguments: Aggregate.allCases)
    func oracle(aggregate: Aggregate) {
        var generator = SeededGenerator(seed: 11)
        for round in 0..<300 {
            let spread = Int8.random(in: 0...6, using: &generator)
            let points = (0..<Int.random(in: 1...30, using: &generator)).map { time in
                (
                    time: Int64(time), exponent: Int8.random(in: -spread...0, using: &generator),
                    mantissa: Int64.random(in: -1_000_000...1_000_000, using: &generator)
                )
            }
            var single = Bucket()
            for point in points.shuffled(using: &generator) {
                single.add(point.mantissa, exponent: point.exponent, at: point.time)
            }
            let cut = Int.random(in: 0...points.count, using: &generator)
            var summed = Bucket()
            for part in [points[cut...], points[..<cut]] where !part.isEmpty {
                let column = SeriesColumn(arrivals: part.map { ($0.time, $0.exponent, $0.mantissa) })
                for summary in column.summaries { summed.add(summary) }
            }
            if aggregate == .mean {
                let exact = Double(expected(points, .mean)) ?? .nan
                for found in [single, summed] {
                    let mean = Double(found.value(.mean).description) ?? .nan
                    #expect(abs(mean - exact) <= exact.magnitude * 1e-14, "round \(round)")
                }
            } else {
                #expect(single.value(aggregate).description == expected(points, aggregate), "round \(round)")
                #expect(summed.value(aggregate).description == expected(points, aggregate), "round \(round)")
            }
        }
    }

    @Test("an absurd value changes no other answer, and a sum beyond 128 bits is the nearest float")
    func absurd() {
        var bucket = Bucket()
        for (time, value) in [(0, (1, -1)), (1, (.max, 0)), (2, (216, -1))] as [(Int64, (Int64, Int8))] {
            bucket.add(value.0, exponent: value.1, at: time)
        }
        #expect(bucket.value(.min).description == "0.1" && bucket.value(.last).description == "21.6")
        #expect(bucket.value(.max).description == "9223372036854775807")
        #expect(bucket.value(.sum).description == "9.223372036854776e+18")
        bucket.add(1, exponent: 127, at: 3)
        #expect(bucket.value(.sum).description == "1e+127" && bucket.value(.max).description == "1e127")
        var tenths = Bucket()
        for time in 0..<3 { tenths.add(1, exponent: -1, at: Int64(time)) }
        #expect(tenths.value(.mean).description == "0.1" && tenths.value(.sum).description == "0.3")
    }
}
