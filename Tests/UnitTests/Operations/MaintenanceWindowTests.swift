import Base
import Testing

@testable import Operations

@Suite("Maintenance windows") struct MaintenanceWindowTests {
    @Test(
        "a window is open on its days and clocks, past midnight too, and when clocks change",
        arguments: [
            // Sunday 2026-11-22.
            (["from": "09:00", "to": "10:00"], "2026-11-22T09:00:00Z", true),
            (["from": "09:00", "to": "10:00"], "2026-11-22T10:00:00Z", false),
            (["days": ["sat"], "from": "09:00", "to": "10:00"], "2026-11-22T09:30:00Z", false),
            (["days": ["sat"], "from": "22:00", "to": "04:00"], "2026-11-22T03:59:59Z", true),
            (["days": ["sun"], "from": "22:00", "to": "04:00"], "2026-11-22T03:59:59Z", false),
            (["days": ["sun"], "from": "22:00", "to": "04:00"], "2026-11-22T22:00:00Z", true),
            (["from": "00:00", "to": "00:00"], "2026-11-22T12:00:00Z", true),
            (["days": ["mon"], "from": "00:30", "to": "02:00", "zone": "Asia/Tokyo"], "2026-11-22T16:00:00Z", true),
            // Summer time ends in Berlin: 02:30 comes twice.
            (["from": "02:00", "to": "03:00", "zone": "Europe/Berlin"], "2026-10-25T00:30:00Z", true),
            (["from": "02:00", "to": "03:00", "zone": "Europe/Berlin"], "2026-10-25T01:30:00Z", true),
            (["from": "02:00", "to": "03:00", "zone": "Europe/Berlin"], "2026-10-25T02:00:00Z", false),
        ] as [(JSONValue, String, Bool)])
    func open(json: JSONValue, time: String, isOpen: Bool) throws {
        let window = try MaintenanceWindow(json)
        #expect(window.contains(try #require(Timestamp(rfc3339: time))) == isOpen)
        #expect(try MaintenanceWindow(window.json) == window)
    }

    @Test(
        "it is known when a window opens next",
        arguments: [
            // Sunday 2026-11-22.
            (["from": "09:00", "to": "10:00"], "2026-11-22T09:30:00Z", "2026-11-22T09:30:00Z"),
            (["from": "09:00", "to": "10:00"], "2026-11-22T08:30:00Z", "2026-11-22T09:00:00Z"),
            (["from": "09:00", "to": "10:00"], "2026-11-22T10:00:00Z", "2026-11-23T09:00:00Z"),
            (["days": ["sat"], "from": "22:00", "to": "04:00"], "2026-11-22T05:00:00Z", "2026-11-28T22:00:00Z"),
            (["days": ["sun"], "from": "01:00", "to": "02:00"], "2026-11-22T02:00:00Z", "2026-11-29T01:00:00Z"),
            (["from": "00:30", "to": "02:00", "zone": "Asia/Tokyo"], "2026-11-22T14:00:00Z", "2026-11-22T15:30:00Z"),
            // Summer time begins in Berlin: 02:15 is left out, so it opens the day after.
            (
                ["from": "02:15", "to": "02:45", "zone": "Europe/Berlin"], "2027-03-27T12:00:00Z",
                "2027-03-29T00:15:00Z"
            ),
        ] as [(JSONValue, String, String)])
    func opening(json: JSONValue, time: String, opens: String) throws {
        let moment = try #require(Timestamp(rfc3339: time))
        #expect(try MaintenanceWindow(json).opening(from: moment) == Timestamp(rfc3339: opens))
    }

    @Test(
        "what is no window is refused with its place",
        arguments: [
            [], [:], ["from": "9:00", "to": "10:00"], ["from": "24:00", "to": "10:00"],
            ["from": "09:60", "to": "10:00"], ["from": "09:00", "to": "10:00", "zone": "Mars/Olympus"],
            ["from": "09:00", "to": "10:00", "days": []], ["from": "09:00", "to": "10:00", "days": ["someday"]],
            ["from": "09:00", "to": "10:00", "zone": 1], ["from": "09:00", "to": "10:00", "extra": 1],
            ["from": "٠٩:٠٠", "to": "10:00"], ["from": 9, "to": 10],
        ] as [JSONValue])
    func wrong(json: JSONValue) {
        #expect { try MaintenanceWindow(json) } throws: { ($0 as? Refusal)?.code == "operation.window" }
    }
}
