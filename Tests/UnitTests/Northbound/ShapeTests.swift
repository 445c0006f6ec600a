import Base
import Testing

@testable import Northbound

@Suite struct ShapeTests {
    static let shape = Shape.object([
        .required("name", .name, "A name."),
        .optional("labels", .map(of: .text, atMost: 2), "Labels."),
        .optional("kind", .choice(["a", "b"]), "A kind."),
        .optional("count", .integer(1...3), "A count."),
        .optional("note", .nullable(.text(.free(atMost: 4))), "A note."),
        .optional("list", .array(of: .boolean, atMost: 2), "A list."),
        .optional("at", .time, "A time."),
    ])

    @Test(
        "a value of the shape has no fault",
        arguments: [
            ["name": "a"], ["name": "a", "labels": ["x": "y"], "kind": "b", "count": 3, "note": .null],
            ["name": "a", "list": [true], "note": "1234", "at": "2025-01-01T00:00:00Z"],
        ] as [JSONValue])
    func fits(value: JSONValue) {
        #expect(Self.shape.faults(in: value) == [])
    }

    @Test(
        "every wrong place is named by its JSON pointer",
        arguments: [
            ([], [""]),
            ([:], ["/name"]),
            (["name": 1], ["/name"]),
            (["name": "a b"], ["/name"]),
            (["name": "a", "kind": "c", "count": 4], ["/kind", "/count"]),
            (["name": "a", "count": .number(1.5)], ["/count"]),
            (["name": "a", "labels": ["x": 1, "y/z": .null]], ["/labels/x", "/labels/y~1z"]),
            (["name": "a", "labels": ["x": "", "y": "", "z": ""]], ["/labels"]),
            (["name": "a", "list": [true, 1]], ["/list/1"]),
            (["name": "a", "note": "12345"], ["/note"]),
            (["name": "a", "at": "yesterday"], ["/at"]),
        ] as [(JSONValue, [String])])
    func faults(value: JSONValue, places: [String]) {
        #expect(Self.shape.faults(in: value).map(\.place) == places)
    }

    @Test("an unknown member is refused with the nearest known one")
    func unknown() {
        let faults = Self.shape.faults(in: ["name": "a", "lables": [:]])
        #expect(faults == [.init(place: "/lables", message: "is not known here; did you mean labels?")])
    }

    @Test("a report of faults has an end")
    func manyFaults() {
        let value = JSONValue.object(
            Dictionary(uniqueKeysWithValues: (0..<1000).map { ("x\($0)", JSONValue.null) }))
        #expect(Self.shape.faults(in: value).count == NorthboundLimits.faults)
    }
}
