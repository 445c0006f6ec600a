import Base
import Testing

@Suite("Moments as text")
struct TimestampTests {
    @Test(
        "every moment has a text, the first and last that there are as well",
        arguments: [
            (Int64.min, "0000-01-01T00:00:00Z"), (.max, "9999-12-31T23:59:59.999999Z"),
            (-62_167_219_200_000_001, "0000-01-01T00:00:00Z"), (-62_167_219_200_000_000, "0000-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999999Z"), (0, "1970-01-01T00:00:00Z"), (1_000, "1970-01-01T00:00:00.001Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
            (253_402_300_800_000_000, "9999-12-31T23:59:59.999999Z"),
        ])
    func extremes(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).rfc3339 == text)
    }

    @Test("time that runs over is held at its end")
    func overflow() {
        let (first, last) = (Timestamp(microseconds: .min), Timestamp(microseconds: .max))
        #expect(last + .seconds(1) == last)
        #expect(first + .seconds(-1) == first)
        #expect(first + .seconds(Int64.min) == first)
        #expect(Timestamp(microseconds: 0) + .seconds(Int64.max) == last)
        _ = last - first
        _ = first - last
        _ = (first.milliseconds, first.seconds, last.milliseconds, last.seconds, first.date, last.date)
    }
}
