import Base
import Testing

@testable import Northbound
@testable import Telemetry

@Suite struct TelemetryTextTests {
    private static func points(_ times: [Int64], _ values: [PointValue]...) -> [SeriesPoints] {
        values.map { SeriesPoints(name: "", aggregate: nil, times: times, values: $0) }
    }

    private static func text(
        _ form: TelemetryText.Form, _ aggregates: [Aggregate], _ series: [(String, String, [[SeriesPoints]])]
    ) -> String {
        var writer = TelemetryText(form, aggregates)
        var bytes = writer.begin()
        for (name, unit, pages) in series {
            bytes += writer.beginSeries(name, unit: unit)
            for page in pages { bytes += writer.page(page) }
            bytes += writer.endSeries()
        }
        return String(decoding: bytes + writer.end(), as: UTF8.self)
    }

    @Test("pages become the points of their series, and a series without points keeps its place")
    func json() throws {
        let text = Self.text(
            .json, [],
            [
                (
                    "power", "W",
                    [
                        Self.points([1000, 2000], [.exact(15, exponent: -1), .exact(-2, exponent: 0)]),
                        Self.points([], []), Self.points([3000], [.binary(.nan)]),
                    ]
                ),
                ("empty", "", []), ("x\"y", "V", [Self.points([1], [.exact(7, exponent: 1)])]),
            ])
        #expect(
            text == """
                {"series":[{"name":"power","unit":"W","points":[[1000,1.5],[2000,-2],[3000,null]]},\
                {"name":"empty","unit":"","points":[]},{"name":"x\\"y","unit":"V","points":[[1,70]]}]}

                """)
        #expect(throws: Never.self) { try JSONValue(parsing: Array(text.utf8)) }
    }

    @Test("an answer without series is still a whole document")
    func nothing() throws {
        #expect(try JSONValue(parsing: Array(Self.text(.json, [.mean], []).utf8)) == ["series": []])
        #expect(Self.text(.csv, [.min, .max], []) == "series,time,min,max\r\n")
    }

    @Test("an answer with steps has one value for each aggregate")
    func steps() throws {
        let page = Self.points([5], [.exact(1, exponent: 0)], [.exact(9, exponent: 0)])
        let text = Self.text(.json, [.min, .max], [("a", "", [page])])
        #expect(
            try JSONValue(parsing: Array(text.utf8)) == [
                "series": [["name": "a", "unit": "", "aggregates": ["min", "max"], "points": [[5, 1, 9]]]]
            ])
        #expect(
            Self.text(.csv, [.min, .max], [("a", "", [page])])
                == "series,time,min,max\r\na,1970-01-01T00:00:00.005Z,1,9\r\n")
    }

    @Test("CSV has a line for each point and quotes what must be quoted")
    func csv() {
        let text = Self.text(
            .csv, [],
            [
                ("power", "W", [Self.points([0], [.exact(25, exponent: -2)])]),
                ("=1,\"2\"", "", [Self.points([1500], [.exact(1, exponent: 0)])]),
            ])
        #expect(
            text == "series,time,value\r\npower,1970-01-01T00:00:00Z,0.25\r\n"
                + "\"'=1,\"\"2\"\"\",1970-01-01T00:00:01.500Z,1\r\n")
    }

    @Test("a live value is one event of one line")
    func event() {
        let update = LiveFeed.Update(
            series: "a\nb", unit: "W", time: Timestamp(microseconds: 1_000_000), value: .exact(15, exponent: -1))
        #expect(
            LiveStreams.event(update) == """
                event: value
                data: {"series":"a\\nb","unit":"W","time":1000,"value":1.5}


                """)
    }

    @Test(
        "a step's length is a number and a unit",
        arguments: [
            ("500ms", Duration.milliseconds(500)), ("10s", .seconds(10)), ("15m", .seconds(900)),
            ("1h", .seconds(3600)),
            ("366d", .seconds(366 * 86_400)), ("0s", nil), ("367d", nil), ("1w", nil), ("m", nil), ("-1s", nil),
            ("", nil),
            ("9999999999999999999s", nil), ("1.5h", nil), ("٣s", nil),
        ] as [(String, Duration?)])
    func stepLength(text: String, duration: Duration?) {
        #expect(StepLength(text)?.duration == duration)
    }
}
