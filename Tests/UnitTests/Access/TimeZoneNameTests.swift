import Access
import Base
import Testing

@Suite("Time zones")
struct TimeZoneNameTests {
    @Test(
        "a time on the clocks is one moment, also on days on which they are set",
        arguments: [
            ("UTC", "2026-03-29T02:30", "2026-03-29T02:30:00Z"),
            ("Europe/Berlin", "2026-03-29T01:59", "2026-03-29T00:59:00Z"),
            // Left out: an hour later on the clocks.
            ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:30:00Z"),
            ("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00:00Z"),
            // Twice: the first time.
            ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30:00Z"),
            ("Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00:00Z"),
            ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30:00Z"),
            ("Asia/Kathmandu", "2026-11-21T08:45", "2026-11-21T03:00:00Z"),
            ("Pacific/Kiritimati", "2027-01-01T00:00", "2026-12-31T10:00:00Z"),
        ])
    func moments(zone: String, shown: String, moment: String) throws {
        let zone = try #require(TimeZoneName(zone))
        let local = try #require(Timestamp(rfc3339: shown + ":00Z"))
        #expect(zone.moment(showing: local).rfc3339 == moment)
    }

    @Test(
        "what clocks show is written with their offset",
        arguments: [
            ("UTC", "2026-03-29T02:30:00Z", "2026-03-29T02:30:00+00:00"),
            ("Europe/Berlin", "2026-07-01T23:30:05Z", "2026-07-02T01:30:05+02:00"),
            ("America/St_Johns", "2026-11-21T03:00:00Z", "2026-11-20T23:30:00-03:30"),
        ])
    func written(zone: String, time: String, shown: String) throws {
        let time = try #require(Timestamp(rfc3339: time))
        #expect(try #require(TimeZoneName(zone)).rfc3339(time) == shown)
        #expect(Timestamp(rfc3339: shown) == time)
    }
}
