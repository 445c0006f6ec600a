public import Base

/// How often a device shall call, and after how many missed calls it counts as late and then as silent.
///
/// It is set for a model, a domain, a device or the whole tenant. The nearest one counts, as a whole: the device's own,
/// then its domain's and those above it, then its model's, then the tenant's, then the built-in one.
public struct HeartbeatPolicy: Hashable, Sendable {
    /// Seconds between two calls.
    public var intervalSeconds: Int64
    /// By how much each pause may differ from the interval, in percent, so that devices do not call all at once.
    public var jitterPercent: Int64
    /// Seconds between two calls while work is queued.
    public var busySeconds: Int64
    /// How many calls a device has missed when it is late.
    public var lateAfter: Int64
    /// How many calls a device has missed when it is silent.
    public var silentAfter: Int64
    /// When devices shall not call.
    public var quietHours: QuietHours?
    /// Whether a device that does not call is neither late nor silent.
    public var isExempt: Bool

    /// A policy; what is left out is as in the built-in one.
    public init(
        intervalSeconds: Int64 = 300, jitterPercent: Int64 = 10, busySeconds: Int64? = nil, lateAfter: Int64 = 2,
        silentAfter: Int64? = nil, quietHours: QuietHours? = nil, isExempt: Bool = false
    ) {
        self.intervalSeconds = intervalSeconds
        self.jitterPercent = jitterPercent
        self.busySeconds = busySeconds ?? min(Self.usualBusySeconds, intervalSeconds)
        self.lateAfter = lateAfter
        self.silentAfter = silentAfter ?? lateAfter * 3
        self.quietHours = quietHours
        self.isExempt = isExempt
    }

    /// What counts where nobody has set anything: every five minutes, late after two missed calls, silent after six.
    public static let builtIn = HeartbeatPolicy()

    private static let usualBusySeconds: Int64 = 30
}

extension HeartbeatPolicy {
    /// The policy that `json` spells; otherwise `heartbeat.invalid` with a JSON pointer to each fault.
    public init(json: JSONValue) throws(Refusal) {
        var faults: [Refusal.Fault] = []
        let policy = Self.read(json, at: "", faults: &faults)
        guard let policy, faults.isEmpty else { throw .faulty("heartbeat.invalid", "The heartbeat policy", faults) }
        self = policy
    }

    /// The policy at a place of a document, with what is wrong about it.
    static func read(_ value: JSONValue, at pointer: String, faults: inout [Refusal.Fault]) -> HeartbeatPolicy? {
        var reader = DocumentReader(value, at: pointer)
        let interval = reader.integer("intervalSeconds", in: FleetLimits.heartbeatSeconds)
        let jitter = reader.integer("jitterPercent", in: FleetLimits.heartbeatJitter)
        let busy = reader.integer("busySeconds", in: FleetLimits.heartbeatSeconds)
        let late = reader.integer("lateAfter", in: FleetLimits.heartbeatLate)
        let silent = reader.integer("silentAfter", in: FleetLimits.heartbeatSilent)
        let isExempt = reader.bool("exempt")
        var quietHours: QuietHours?
        if let value = reader.value("quietHours") {
            var inner: [Refusal.Fault] = []
            quietHours = QuietHours.read(value, at: reader.place("quietHours"), faults: &inner)
            reader.adopt(inner)
        }
        let usual = HeartbeatPolicy.builtIn
        let policy = HeartbeatPolicy(
            intervalSeconds: interval ?? usual.intervalSeconds, jitterPercent: jitter ?? usual.jitterPercent,
            busySeconds: busy, lateAfter: late ?? usual.lateAfter, silentAfter: silent, quietHours: quietHours,
            isExempt: isExempt ?? false)
        if policy.busySeconds > policy.intervalSeconds {
            reader.fault("busySeconds", "must not be longer than intervalSeconds")
        }
        if policy.silentAfter <= policy.lateAfter {
            reader.fault("silentAfter", "must be more than lateAfter")
        }
        reader.finish()
        faults += reader.faults
        return reader.faults.isEmpty ? policy : nil
    }

    /// The policy with every member written out.
    public var json: JSONValue {
        [
            "intervalSeconds": .integer(intervalSeconds), "jitterPercent": .integer(jitterPercent),
            "busySeconds": .integer(busySeconds), "lateAfter": .integer(lateAfter),
            "silentAfter": .integer(silentAfter), "quietHours": quietHours?.json ?? .null, "exempt": .bool(isExempt),
        ]
    }
}
