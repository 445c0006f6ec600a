import Access
import Base

/// What a policy means in seconds, for the devices of one time zone.
///
/// Quiet hours do not count: a call that would fall into them comes when they are over, and nobody becomes late in them.
struct HeartbeatSchedule: Sendable {
    let policy: HeartbeatPolicy
    private var quiet: QuietClock?

    /// The schedule under a policy, where the tenant's clocks are of this zone, or UTC's.
    init(_ policy: HeartbeatPolicy, zone: TimeZoneName?) {
        self.policy = policy
        quiet = policy.quietHours.map { QuietClock($0, zone: zone) }
    }

    /// The longest pause between two calls outside quiet hours.
    var step: Int64 {
        Self.bounded(policy.intervalSeconds + (policy.intervalSeconds * policy.jitterPercent + 99) / 100)
    }

    /// How many seconds after its last call a device that is gone may become late.
    var wave: Int64 { policy.lateAfter * step + (quiet?.hours.length ?? 0) + FleetLimits.heartbeatGrace }

    /// How many seconds a device that calls now shall wait before it calls again.
    mutating func pause(isBusy: Bool, at now: Timestamp, random: UInt64) -> Int64 {
        let base = isBusy ? policy.busySeconds : policy.intervalSeconds
        let spread = base * policy.jitterPercent / 100
        let seconds = Self.bounded(base - spread + Int64(random % UInt64(2 * spread + 1)))
        guard quiet != nil else { return seconds }
        let next = now + .seconds(seconds)
        guard let window = quiet?.window(endingAfter: next), window.start <= next else { return seconds }
        // Who waited for the same moment comes spread over a whole interval.
        let late = Int64((random >> 32) % UInt64(policy.intervalSeconds + 1))
        return Self.bounded(Self.seconds(from: now, to: window.end) + late)
    }

    /// Within how many seconds a device that calls now calls again, whatever it was told.
    mutating func next(after now: Timestamp) -> Int64 {
        guard quiet != nil else { return step }
        var (latest, reached) = (step, now)
        // A pause of less than a day meets at most two windows.
        for _ in 0..<2 {
            guard let window = quiet?.window(endingAfter: reached), window.start <= now + .seconds(step) else { break }
            latest = max(latest, Self.seconds(from: now, to: window.end) + policy.intervalSeconds)
            reached = window.end
        }
        return Self.bounded(latest)
    }

    /// How many seconds after an expected call that does not come a device has missed so many calls.
    mutating func allowance(for missed: Int64, after expected: Timestamp) -> Int64 {
        let total = (missed - 1) * step
        guard let hours = quiet?.hours else { return total }
        let open = 86_400 - hours.length
        var end = expected + .seconds(total % open)
        var reached = expected
        // Less than a day of calls meets at most two windows.
        for _ in 0..<2 {
            guard let window = quiet?.window(endingAfter: reached), window.start < end else { break }
            end = end + (window.end - max(window.start, reached))
            reached = window.end
        }
        return Self.seconds(from: expected, to: end) + total / open * 86_400
    }

    private static func bounded(_ seconds: Int64) -> Int64 {
        min(max(seconds, FleetLimits.heartbeatSeconds.lowerBound), FleetLimits.heartbeatSeconds.upperBound)
    }

    private static func seconds(from start: Timestamp, to end: Timestamp) -> Int64 {
        ((end - start).microseconds + 999_999).flooredDivision(by: 1_000_000)
    }
}
