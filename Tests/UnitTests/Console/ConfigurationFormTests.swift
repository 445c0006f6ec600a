import Base
import Testing

@testable import Console
@testable import Fleet

@Suite("The form of a layer")
struct ConfigurationFormTests {
    private static let schema: JSONValue = [
        "properties": [
            "name": ["type": "string"], "free": [:], "mode": ["enum": ["day", "1"]], "port": ["type": "integer"],
            "certificate": ["type": "string"], "net": ["properties": ["apn": ["type": "string"]]],
            "key": ["type": "string", "writeOnly": true],
        ]
    ]

    private static func place(_ members: [String: JSONValue]) throws -> ConfigurationPlace {
        var faults: [Refusal.Fault] = []
        let schema = try #require(JSONSchema.read(Self.schema, at: "", faults: &faults))
        let id = DeviceID(now: Timestamp(microseconds: 0))
        let layer = DesiredLayer(
            place: .device(id), version: 1, changed: nil,
            content: DesiredContent(members, hiding: Set(schema.secretPlaces)))
        return ConfigurationPlace(
            reference: .device(id.text), layer: layer, title: "", heading: "", reaches: "", address: "", crumbs: [],
            canEdit: true, isJSON: false, fields: schema.fields, inherited: [:], device: nil, layers: [])
    }

    /// What a browser sends of the page, after somebody typed this into it.
    private static func sent(_ place: ConfigurationPlace, typing typed: [String: String] = [:]) throws -> JSONValue {
        var pairs: [String] = ["version=1", "mode=fields"]
        for (number, setting) in place.fields.enumerated() {
            let field = ConfigurationField(setting, number: number, place, nil)
            let text = typed[field.pointer] ?? field.typed
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
            pairs.append(field.name.percentEncoded + "=" + lines.percentEncoded)
        }
        let form = ConfigurationForm(try #require(FormFields(pairs.joined(separator: "&"))))
        return try form.layer(over: place).value
    }

    @Test(
        "what nobody touched stays as it is",
        arguments: [
            ["name": "  two words "], ["name": ""], ["free": "0042"], ["free": "true"], ["free": ["a": 1]],
            ["free": ""],
            ["certificate": "-----BEGIN\nabc\n-----END\n"], ["certificate": "a\r\nb"], ["mode": "dusk"], ["mode": "1"],
            ["port": "8080"], ["port": .null], ["net": [:]], ["net": ["apn": .null]], ["other": ["x": [:]]],
            ["key": "k"],
        ] as [[String: JSONValue]])
    func untouched(members: [String: JSONValue]) throws {
        let place = try Self.place(members)
        #expect(try Self.sent(place) == .object(place.layer.members))
    }

    @Test("what is typed becomes what the schema says, and what is emptied leaves no empty object")
    func typed() throws {
        let place = try Self.place(["net": ["apn": "a"], "free": "0042", "name": "x", "other": ["y": [:]]])
        #expect(
            try Self.sent(
                place, typing: ["/net/apn": "", "/free": "0043", "/mode": "1", "/port": " 80 ", "/name": " y "])
                == ["free": "0043", "mode": "1", "port": 80, "name": " y ", "other": ["y": [:]]])
        #expect(try Self.sent(place, typing: ["/certificate": "a\nb"])["certificate"] == "a\nb")
    }

    @Test("a value that the schema does not know can be kept, and several lines have room")
    func shown() throws {
        let place = try Self.place(["mode": "dusk", "certificate": "a\nb"])
        let fields = place.fields.enumerated().map { ConfigurationField($1, number: $0, place, nil) }
        let mode = try #require(fields.first { $0.pointer == "/mode" })
        #expect(mode.choices.map(\.value) == ["", "day", "1", "dusk"])
        #expect(mode.choices.first(where: \.isOn)?.value == "dusk")
        #expect(fields.filter(\.isLong).map(\.pointer) == ["/certificate"])
    }
}
