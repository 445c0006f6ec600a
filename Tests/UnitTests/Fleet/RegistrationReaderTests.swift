import Base
import Testing

@testable import Fleet

@Suite("Reading a list of devices to register")
struct RegistrationReaderTests {
    private static func read(
        _ text: String, _ format: RegistrationReader.Format, devices: Int = 100, bytes: Int = 1 << 20, step: Int = 7
    ) throws -> RegistrationList {
        var reader = RegistrationReader(format, devices: devices, bytes: bytes)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            try reader.consume(rest.prefix(step))
            rest = rest.dropFirst(step)
        }
        return try reader.finish()
    }

    @Test("CSV and JSON say the same thing")
    func same() throws {
        let csv = """
            name,model,domain,capabilities,serial,mac,mac,label.site,attribute.note,component.system,latitude,longitude,place
            gw-1,gateway,plants/north,reports tasks relays,A-1,001a2b3c4d5e,001a2b3c4d5f,Berlin,"hello, you",1.2,52.5,13.4,Hall 3
            """
        let json = """
            [{"name":"gw-1","model":"gateway","domain":"plants/north","capabilities":["reports","tasks","relays"],
              "identifiers":[{"kind":"serial","value":"A-1"},{"kind":"mac","value":"00:1a:2b:3c:4d:5e"},
                             {"kind":"mac","value":"00:1a:2b:3c:4d:5f"}],
              "labels":{"site":"Berlin"},"attributes":{"note":"hello, you"},"components":{"system":"1.2"},
              "location":{"latitude":52.5,"longitude":13.4},"place":"Hall 3"}]
            """
        let first = try Self.read(csv, .csv).lines
        let second = try Self.read(json, .json).lines
        #expect(first.map(\.draft) == second.map(\.draft))
        #expect(first.map(\.place.description) == ["line 2"])
        #expect(second.map(\.place.description) == ["/0"])
        #expect(first.first?.draft.identifiers.count == 3)
    }

    @Test("every faulty line is named, and nothing else is done")
    func faults() throws {
        let csv = """
            name,imei,latitude,longitude
            ok,,,
            -bad,,,
            ok,,,
            x,1,,
            y,,91,0
            z,,,
            q,,1
            r,,1,
            0123456789abcdef0123456789abcdef,,,
            """
        let refusal = #expect(throws: Refusal.self) { try Self.read(csv, .csv) }
        #expect(refusal?.code == "devices.invalid")
        #expect(
            refusal?.faults.map(\.place) == ["line 3", "line 4", "line 5", "line 6", "line 8", "line 9", "line 10"])
        #expect(refusal?.faults[1].message == "name ok is at line 2 already")
    }

    @Test("a hardware identifier twice in one list is a fault, however it is written")
    func twice() throws {
        let json = """
            [{"name":"a","identifiers":[{"kind":"mac","value":"001a2b3c4d5e"}]},
             {"name":"b","identifiers":[{"kind":"mac","value":"00:1A:2B:3C:4D:5E"}]}]
            """
        let refusal = #expect(throws: Refusal.self) { try Self.read(json, .json) }
        #expect(refusal?.faults.map(\.place) == ["/1"])
        #expect(refusal?.faults.first?.message == "mac 001a2b3c4d5e is at /0 already")
    }

    @Test("what is wrong in a JSON list is named by its pointer, though the list is one line")
    func pointers() throws {
        let json = #"[{"name":"a"},{"name":"!"},{"name":"b","location":{"latitude":91,"longitude":0}},{"nam":1}]"#
        let refusal = #expect(throws: Refusal.self) { try Self.read(json, .json) }
        #expect(refusal?.faults.map(\.place) == ["/1/name", "/2/location/latitude", "/3/name", "/3/nam"])
    }

    @Test("only the first hundred faults are named, but all are counted")
    func bounded() throws {
        let csv = "name\n" + (0..<150).map { "-\($0)\n" }.joined()
        let refusal = #expect(throws: Refusal.self) { try Self.read(csv, .csv, devices: 1000) }
        #expect(refusal?.faults.count == FleetLimits.namedFaults)
        #expect(refusal?.message.contains("150") == true)
    }

    @Test(
        "a header must name known columns once",
        arguments: ["nam\nx", "name,name\nx,y", "serial\nx", "name,label.\nx,y", "name,serail\nx,y"])
    func header(csv: String) {
        let refusal = #expect(throws: Refusal.self) { try Self.read(csv, .csv) }
        #expect(refusal?.faults.first?.place == "line 1")
    }

    @Test(
        "text that is no array of objects is refused",
        arguments: [
            "", "{}", "[", "[{}", "[{}}", "[{}] x", "[{\"name\":\"a\"},]", "[1]", "[]", "[\"]\"", "[{\"name\":\"a\"}}]",
        ])
    func notArray(json: String) {
        #expect(throws: Refusal.self) { try Self.read(json, .json) }
    }

    @Test("brackets and quotes within strings end no element")
    func strings() throws {
        let list = try Self.read("[ {\"name\":\"a\",\"place\":\"]},[{ \\\" \"} ,\n{\"name\":\"b\"} ]\n", .json, step: 1)
        #expect(list.lines.map(\.draft.name.text) == ["a", "b"])
        #expect(list.lines.map(\.place.description) == ["/0", "/1"])
    }

    @Test("number of devices and bytes are bounded")
    func bounds() {
        #expect(throws: Refusal(.tooLarge, "devices.tooMany", "")) { try Self.read("name\na\nb\n", .csv, devices: 1) }
        #expect(throws: Refusal(.tooLarge, "devices.tooLarge", "")) { try Self.read("name\na\nb\n", .csv, bytes: 8) }
        let long = "[{\"name\":\"" + String(repeating: "x", count: FleetLimits.registrationLineBytes) + "\"}]"
        #expect(throws: Refusal.self) { try Self.read(long, .json) }
    }

    @Test("no bytes make a reader trap", arguments: [RegistrationReader.Format.csv, .json])
    func noise(format: RegistrationReader.Format) {
        var generator = SystemRandomNumberGenerator()
        let pieces = [
            "name", ",", "\n", "\r", "\"", "\\", "[", "]", "{", "}", ":", "\"name\":\"a\"", " ", "\u{FEFF}", "é",
            "1e999",
        ]
        for _ in 0..<2000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...40, using: &generator) {
                bytes += Array((pieces.randomElement(using: &generator) ?? "").utf8)
                if Int.random(in: 0..<10, using: &generator) == 0 {
                    bytes.append(.random(in: .min ... .max, using: &generator))
                }
            }
            var reader = RegistrationReader(format)
            _ = try? reader.consume(bytes)
            _ = try? reader.finish()
        }
    }
}
