import Base
import Testing

@testable import Fleet

@Suite("The filter language for devices")
struct DeviceFilterTests {
    @Test(
        "each form of a condition is read",
        arguments: [
            ("name = meter-1", DeviceFilter.Expression.term(.name(Name("meter-1")!))),
            ("name=meter-*", .term(.namePrefix("meter-"))),
            ("name ~ Meter", .term(.nameContains("meter"))),
            ("status = active", .term(.status(.active))),
            ("status != active", .not(.term(.status(.active)))),
            ("state = Waiting", .term(.status(.registered))),
            ("state != offline", .not(.all([.term(.status(.active)), .not(.term(.online))]))),
            ("online", .term(.online)),
            ("online = false", .not(.term(.online))),
            ("not enrolled", .not(.term(.enrolled))),
            ("label.site", .term(.label(key: "site", value: nil))),
            ("label.site = *", .term(.label(key: "site", value: nil))),
            ("label.site = \"*\"", .term(.label(key: "site", value: "*"))),
            ("label.site = \"a \\\"b\\\"\"", .term(.label(key: "site", value: "a \"b\""))),
            ("component.system", .term(.component("system", version: nil))),
            ("component.system = *", .term(.component("system", version: nil))),
            ("component.system = 2.7.1", .term(.component("system", version: "2.7.1"))),
            ("component.system != \"a \\\"b\\\"\"", .not(.term(.component("system", version: "a \"b\"")))),
            ("capability = relays", .term(.capability(.relays))),
            ("mac = 00:1A:2B:3C:4D:5E", .term(.hardware(HardwareIdentifier(.mac, "001a2b3c4d5e")!))),
            ("domain = plants/north", .term(.domain("plants/north"))),
        ])
    func form(text: String, expected: DeviceFilter.Expression) throws {
        #expect(try DeviceFilter(text).expression == expected)
    }

    @Test(
        "a quoted text is read as it was",
        arguments: [
            "1.0", "a \"b\" \\", "\"\u{301} or online", "\\\u{301}", "\"\u{301}", "\u{1F468}\u{200D}\u{1F469}", "*",
        ])
    func quoted(text: String) throws {
        let filter = try DeviceFilter("component.system = \(DeviceFilter.quoted(text))")
        guard case .term(.component("system", let version?)) = filter.expression else {
            return #expect(Bool(false), "\(filter.expression)")
        }
        #expect(Array(version.utf8) == Array(text.utf8))
    }

    @Test("not binds before and, and before or, and brackets group")
    func precedence() throws {
        let online = DeviceFilter.Expression.term(.online)
        let enrolled = DeviceFilter.Expression.term(.enrolled)
        let active = DeviceFilter.Expression.term(.status(.active))
        #expect(
            try DeviceFilter("online or not enrolled and status=active").expression
                == .any([online, .all([.not(enrolled), active])]))
        #expect(
            try DeviceFilter("(online OR enrolled) AND status=active").expression
                == .all([.any([online, enrolled]), active]))
    }

    @Test(
        "a wrong filter is refused and the place named",
        arguments: [
            ("", "character 1"), ("name", "character 5"), ("name =", "character 7"), ("nmae = x", "character 1"),
            ("status = lost", "character 10"), ("state = lost", "character 9"), ("state", "character 6"),
            ("online and", "character 11"), ("(online", "character 8"),
            ("online)", "character 7"), ("name = \"x", "character 8"), ("status ~ a", "character 1"),
            ("online ! x", "character 8"), ("imei = 123", "character 8"), ("label. = x", "character 1"),
            ("component. = x", "character 1"), ("component.system ~ 2", "character 1"),
            ("name = \u{1}", "character 8"),
        ])
    func wrong(text: String, place: String) {
        let refusal = #expect(throws: Refusal.self) { try DeviceFilter(text) }
        #expect(refusal?.code == "filter.invalid")
        #expect(refusal?.faults.first?.place == place)
    }

    @Test("an unknown field names the nearest known one")
    func nearest() {
        let refusal = #expect(throws: Refusal.self) { try DeviceFilter("statuss = active") }
        #expect(refusal?.message.contains("did you mean status?") == true)
    }

    @Test("length, depth and number of comparisons are bounded")
    func bounds() {
        let long = String(repeating: "x", count: FleetLimits.filterBytes + 1)
        #expect(throws: Refusal.self) { try DeviceFilter(long) }
        let deep = String(repeating: "(", count: 1000) + "online" + String(repeating: ")", count: 1000)
        #expect(throws: Refusal.self) { try DeviceFilter(deep) }
        let nots = String(repeating: "not ", count: 900) + "online"
        #expect(throws: Refusal.self) { try DeviceFilter(nots) }
        let many = Array(repeating: "online", count: FleetLimits.filterTerms + 1).joined(separator: " or ")
        #expect(throws: Refusal.self) { try DeviceFilter(many) }
    }

    @Test("no bytes make the parser trap")
    func noise() {
        var generator = SystemRandomNumberGenerator()
        let pieces = [
            "(", ")", "=", "!=", "~", "and", "or", "not", "name", "label.", "\"", "\\", "*", " ", "online", "é",
        ]
        for _ in 0..<2000 {
            let count = Int.random(in: 0...20, using: &generator)
            let text = (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            _ = try? DeviceFilter(text)
        }
    }

    @Test("a cursor belongs to one order and filter")
    func cursor() throws {
        let device = DeviceID(now: Timestamp(microseconds: 1_000_000))
        let digest = DeviceCursor.digest(sort: .name, filter: "online")
        let cursor = DeviceCursor(key: .name("meter-1"), device: device)
        let text = cursor.text(digest: digest)
        #expect(try DeviceCursor(text, sort: .name, digest: digest) == cursor)
        let other = DeviceCursor.digest(sort: .name, filter: "not online")
        #expect(throws: Refusal.self) { try DeviceCursor(text, sort: .name, digest: other) }
        #expect(throws: Refusal.self) { try DeviceCursor("00", sort: .name, digest: digest) }
        #expect(throws: Refusal.self) { try DeviceCursor(String(text.dropLast(2)) + "ff", sort: .name, digest: digest) }
        let seen = DeviceCursor(key: .lastSeen(-5), device: device)
        #expect(try DeviceCursor(seen.text(digest: digest), sort: .lastSeen, digest: digest) == seen)
    }
}
