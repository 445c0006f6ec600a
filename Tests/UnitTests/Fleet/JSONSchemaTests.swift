import Base
import Testing

@testable import Fleet

@Suite("Schemas of settings and tasks")
struct JSONSchemaTests {
    private func schema(_ text: String) throws -> JSONSchema {
        var faults: [Refusal.Fault] = []
        let read = JSONSchema.read(try JSONValue(parsing: Array(text.utf8)), at: "", faults: &faults)
        #expect(faults.isEmpty)
        return try #require(read)
    }

    private func places(_ schema: JSONSchema, _ text: String) throws -> [String] {
        schema.faults(of: try JSONValue(parsing: Array(text.utf8))).map { "\($0.place) \($0.message)" }
    }

    @Test("what fits is accepted, and each thing that does not is named")
    func values() throws {
        let schema = try schema(
            #"""
            {"title": "Settings", "type": "object", "required": ["interval"], "additionalProperties": false,
             "properties": {
                "interval": {"type": "integer", "minimum": 1, "maximum": 3600, "default": 60},
                "mode": {"enum": ["day", "night", 7]},
                "name": {"type": ["string", "boolean"], "minLength": 2, "maxLength": 4},
                "fixed": {"const": true},
                "list": {"type": "array", "minItems": 1, "items": {"type": "number"}},
                "any": {}}}
            """#)
        #expect(
            try places(
                schema, #"{"interval": 60, "mode": 7, "name": "äöüß", "fixed": true, "list": [1, 2.5], "any": []}"#)
                == [])
        #expect(try places(schema, #"{"interval": 60.0}"#) == [])
        #expect(try places(schema, #"{"interval": 1.5}"#) == ["/interval must be integer"])
        #expect(try places(schema, "[]") == [" must be object"])
        #expect(try places(schema, "{}") == [" must have interval"])
        #expect(
            try places(schema, #"{"interval": 0, "mode": "noon", "name": "a", "fixed": false, "list": [], "nam": 1}"#)
                == [
                    "/fixed must be one of true", "/interval must be at least 1.0",
                    "/list must have at least 1 elements",
                    #"/mode must be one of "day", "night", 7"#, "/nam is not known here; did you mean name?",
                    "/name must have 2 to 4 characters",
                ])
        #expect(
            try places(schema, #"{"interval": 3601, "list": [1, "2"]}"#) == [
                "/interval must be at most 3600.0", "/list/1 must be number",
            ])
        #expect(try places(schema, #"{"interval": 1, "name": 5}"#) == ["/name must be boolean or string"])
    }

    @Test("a value with many faults names a bounded number of them")
    func manyFaults() throws {
        let schema = try schema(#"{"additionalProperties": false, "items": {"type": "string"}}"#)
        let members = Dictionary(uniqueKeysWithValues: (0..<1000).map { ("k\($0)", JSONValue.null) })
        #expect(schema.faults(of: .object(members)).count == FleetLimits.namedFaults)
        #expect(schema.faults(of: .array(Array(repeating: 1, count: 1000))).count == FleetLimits.namedFaults)
    }

    @Test(
        "a wrong schema is refused with its place",
        arguments: [
            (#"[]"#, ""), (#"{"type": "null"}"#, "/type"), (#"{"pattern": "(a+)+$"}"#, "/pattern"),
            (#"{"$ref": "https://example.com"}"#, "/$ref"), (#"{"minimum": 2, "maximum": 1}"#, "/maximum"),
            (#"{"minLength": 2, "maxLength": 1}"#, "/maxLength"), (#"{"minLength": -1}"#, "/minLength"),
            (#"{"minItems": 99999999999999999999}"#, "/minItems"), (#"{"enum": []}"#, "/enum"),
            (#"{"properties": {"a/b": {"type": 1}}}"#, "/properties/a~1b/type"),
            (#"{"items": {"items": {"required": [1]}}}"#, "/items/items/required/0"),
        ])
    func wrong(text: String, place: String) throws {
        var faults: [Refusal.Fault] = []
        #expect(JSONSchema.read(try JSONValue(parsing: Array(text.utf8)), at: "", faults: &faults) == nil)
        #expect(faults.map(\.place) == [place])
    }

    @Test("a schema has bounded depth and size")
    func bounds() throws {
        var deep: JSONValue = [:]
        for _ in 0...FleetLimits.schemaDepth { deep = ["items": deep] }
        let wide: JSONValue = [
            "properties": .object(
                Dictionary(uniqueKeysWithValues: (0..<FleetLimits.schemaNodes).map { ("k\($0)", [:]) }))
        ]
        for value in [deep, wide] {
            var faults: [Refusal.Fault] = []
            #expect(JSONSchema.read(value, at: "", faults: &faults) == nil)
            #expect(faults.count == 1)
        }
    }

    @Test("a model keeps its schemas as they were written")
    func model() throws {
        let json = try JSONValue(
            parsing: Array(#"{"desiredSchema": {"type": "object"}, "customTaskSchema": {"required": ["valve"]}}"#.utf8))
        let document = try ModelDocument(json: json)
        #expect(document.json["desiredSchema"] == ["type": "object"])
        #expect(try ModelDocument(json: document.json) == document)
        #expect(throws: Refusal.self) {
            try ModelDocument(json: try JSONValue(parsing: Array(#"{"desiredSchema": {"type": "objekt"}}"#.utf8)))
        }
    }
}
