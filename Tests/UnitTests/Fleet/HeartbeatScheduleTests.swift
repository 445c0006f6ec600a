import Access
import Base
import Testing

@testable import Fleet

@Suite struct HeartbeatScheduleTests {
    private func time(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

    private func schedule(
        _ policy: HeartbeatPolicy = .builtIn, quiet: (String, String)? = nil, zone: String? = nil
    ) throws -> HeartbeatSchedule {
        var policy = policy
        if let quiet {
            policy.quietHours = QuietHours(
                from: try #require(QuietHours.minute(quiet.0)), until: try #require(QuietHours.minute(quiet.1)))
        }
        return HeartbeatSchedule(policy, zone: try zone.map { try #require(TimeZoneName($0)) })
    }

    private static let spreads: [(Int64, Int64, Int64, Int64)] = [
        (300, 10, 270, 330), (300, 0, 300, 300), (10, 50, 5, 15), (1, 50, 1, 1), (86_399, 50, 43_200, 86_399),
    ]

    @Test("a pause lies within the jitter on both sides of the interval, and all of that is used", arguments: spreads)
    func jitter(interval: Int64, percent: Int64, shortest: Int64, longest: Int64) throws {
        var schedule = try schedule(HeartbeatPolicy(intervalSeconds: interval, jitterPercent: percent))
        var generator = SystemRandomNumberGenerator()
        let now = try time("2027-01-15T08:00:00Z")
        let pauses = (0..<20_000).map { _ in schedule.pause(isBusy: false, at: now, random: generator.next()) }
        #expect(pauses.allSatisfy { (shortest...longest).contains($0) })
        if longest - shortest < 100 { #expect(Set(pauses).count == Int(longest - shortest + 1)) }
    }

    @Test("while work is queued the shorter interval counts, outside quiet hours")
    func busy() throws {
        var schedule = try schedule(
            HeartbeatPolicy(intervalSeconds: 300, jitterPercent: 0, busySeconds: 5), quiet: ("22:00", "06:00"))
        #expect(schedule.pause(isBusy: true, at: try time("2027-01-15T08:00:00Z"), random: 0) == 5)
        #expect(schedule.pause(isBusy: true, at: try time("2027-01-15T23:00:00Z"), random: 0) == 7 * 3600)
    }

    private static let evenings: [(now: String, zone: String, seconds: Int64)] = [
        ("2027-01-15T21:54:59Z", "UTC", 300), ("2027-01-15T21:55:00Z", "UTC", 29_100),
        ("2027-01-15T23:59:59Z", "UTC", 21_601), ("2027-01-16T03:00:00Z", "UTC", 10_800),
        ("2027-01-16T05:59:59Z", "UTC", 300), ("2027-01-16T06:00:00Z", "UTC", 300),
        // Berlin is an hour ahead, in summer two.
        ("2027-01-15T20:59:00Z", "Europe/Berlin", 28_860), ("2027-01-15T21:30:00Z", "Europe/Berlin", 27_000),
        ("2027-07-15T19:59:00Z", "Europe/Berlin", 28_860),
        // Clocks go forward in the night to 28 March 2027 and back in that to 31 October.
        ("2027-03-27T21:00:00Z", "Europe/Berlin", 25_200), ("2027-10-30T20:00:00Z", "Europe/Berlin", 32_400),
    ]

    @Test(
        "a call that would fall into quiet hours comes when they are over, spread over an interval", arguments: evenings
    )
    func quietHours(now: String, zone: String, seconds: Int64) throws {
        var schedule = try schedule(HeartbeatPolicy(jitterPercent: 0), quiet: ("22:00", "06:00"), zone: zone)
        let now = try time(now)
        #expect(schedule.pause(isBusy: false, at: now, random: 0) == seconds)
        let spread = schedule.pause(isBusy: false, at: now, random: 150 << 32)
        #expect(spread == (seconds == 300 ? 300 : seconds + 150))
        // Asked in another order, what was kept gives the same answer.
        _ = schedule.pause(isBusy: false, at: now - .seconds(40 * 86_400), random: 0)
        #expect(schedule.pause(isBusy: false, at: now, random: 0) == seconds)
    }

    @Test("quiet hours of nearly the whole day leave a pause that every client understands")
    func nearlyAllDay() throws {
        var schedule = try schedule(HeartbeatPolicy(intervalSeconds: 86_399), quiet: ("00:00", "23:59"))
        for hour in 0..<24 {
            let now = try time("2027-01-15T00:00:00Z") + .seconds(hour * 3600 + 1)
            #expect((1...86_399).contains(schedule.pause(isBusy: false, at: now, random: .max)))
            #expect(schedule.next(after: now) <= 3 * 86_400)
            #expect(schedule.allowance(for: 3000, after: now) > 0)
        }
    }

    @Test(
        "quiet hours that the change to summer time leaves out, or that begin and end at one moment, harm nothing",
        arguments: [("02:15", "02:45"), ("02:00", "03:00"), ("01:30", "03:30"), ("02:30", "01:30")])
    func missingHour(from: String, until: String) throws {
        var schedule = try schedule(HeartbeatPolicy(jitterPercent: 0), quiet: (from, until), zone: "Europe/Berlin")
        for minute in 0..<(3 * 1440) {
            for day in ["2027-03-27T00:00:00Z", "2027-10-30T00:00:00Z"] {
                let now = try time(day) + .seconds(minute * 60)
                let pause = schedule.pause(isBusy: false, at: now, random: 0)
                #expect((1...86_399).contains(pause))
                #expect(schedule.next(after: now) >= pause)
            }
        }
    }

    @Test("nobody is expected before the longest pause that they may have been told")
    func expectation() throws {
        var generator = SystemRandomNumberGenerator()
        let hours: [(String, String)?] = [nil, ("22:00", "06:00"), ("11:00", "11:05"), ("06:00", "05:00")]
        for quiet in hours {
            for interval: Int64 in [1, 60, 300, 4000, 30_000] {
                var schedule = try schedule(
                    HeartbeatPolicy(intervalSeconds: interval), quiet: quiet, zone: "America/New_York")
                for _ in 0..<2000 {
                    let now = try time("2027-03-13T00:00:00Z") + .seconds(Int64.random(in: 0..<200_000))
                    let pause = schedule.pause(isBusy: .random(), at: now, random: generator.next())
                    #expect(pause <= schedule.next(after: now), "\(interval) \(quiet ?? ("", "")) \(now.rfc3339)")
                }
            }
        }
    }

    @Test("time in quiet hours does not count towards missed calls")
    func allowance() throws {
        let policy = HeartbeatPolicy(intervalSeconds: 3600, jitterPercent: 0)
        var open = try schedule(policy)
        var quiet = try schedule(policy, quiet: ("22:00", "06:00"))
        let evening = try time("2027-01-15T20:00:00Z")
        #expect(open.allowance(for: 1, after: evening) == 0)
        #expect(open.allowance(for: 4, after: evening) == 3 * 3600)
        #expect(quiet.allowance(for: 1, after: evening) == 0)
        #expect(quiet.allowance(for: 3, after: evening) == 2 * 3600)
        #expect(quiet.allowance(for: 4, after: evening) == 11 * 3600)
        // Sixteen hours of a day are open.
        #expect(quiet.allowance(for: 17, after: evening) == 24 * 3600)
        #expect(quiet.allowance(for: 20, after: evening) == 35 * 3600)
    }
}
