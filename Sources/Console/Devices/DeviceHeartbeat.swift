import Access
import Base
import Fleet

/// How a device stands to its heartbeat, as its page shows it.
struct DeviceHeartbeat: Sendable {
    let badge: Badge
    let facts: [DeviceView.Fact]
}

extension DeviceHeartbeat {
    init(_ console: ConsoleParts, _ visit: TenantVisit, _ device: Device) async throws {
        let view = try await console.fleet.heartbeat(
            ofDevice: device.id.text, in: visit.tenant.id, by: visit.principal)
        let (policy, standing) = (view.effective, view.standing)
        badge = standing?.state?.badge ?? .off("Not expected to call")
        facts = [
            .init("Since", time: standing?.state == .calling ? nil : Moment(standing?.since)),
            .init("Calls", policy.isExempt ? "nobody waits for it" : policy.words),
            .init("While work is queued", policy.isExempt ? nil : "every \(Self.time(policy.busySeconds))"),
            .init("Quiet hours", policy.quietHours.map(\.words)),
            .init("By the policy of", view.source.words),
            .init("Late so far", Int(standing?.timesLate ?? 0).counted("time", "times")),
            .init("Silent so far", Int(standing?.timesSilent ?? 0).counted("time", "times")),
        ].filter { !$0.isEmpty }
    }

    /// A length of time in its largest whole unit.
    fileprivate static func time(_ seconds: Int64) -> String {
        for (length, one, several) in [(Int64(3600), "hour", "hours"), (60, "minute", "minutes")]
        where seconds >= length && seconds.isMultiple(of: length) {
            return Int(seconds / length).counted(one, several)
        }
        return Int(seconds).counted("second", "seconds")
    }
}

extension HeartbeatState {
    /// The state on screens.
    var badge: Badge {
        switch self {
        case .calling: .good("Calls")
        case .late: .warning("Late")
        case .silent: .critical("Silent")
        }
    }
}

extension HeartbeatPolicy {
    fileprivate var words: String {
        "every \(DeviceHeartbeat.time(intervalSeconds)); late after \(lateAfter) missed, silent after \(silentAfter)"
    }
}

extension HeartbeatSource {
    fileprivate var words: String {
        switch self {
        case .device: "the device itself"
        case .domain: "its domain"
        case .model: "its model"
        case .tenant: "the organisation"
        case .builtIn: "nobody: the built-in one"
        }
    }
}

extension QuietHours {
    fileprivate var words: String {
        "\(Self.clock(from)) to \(Self.clock(until))\(timeZone.map { " in \($0.text)" } ?? "")"
    }

    private static func clock(_ minute: Int64) -> String {
        String(minute / 60 + 100).suffix(2) + ":" + String(minute % 60 + 100).suffix(2)
    }
}
