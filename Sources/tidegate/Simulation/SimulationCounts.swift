import Base
import Synchronization

/// What a simulated fleet has done so far.
final class SimulationCounts: Sendable {
    /// The different reasons of refusals that are told apart; the rest is counted together.
    private static let reasons = 16
    /// Upper bounds of acknowledgement times, a fifth apart, from a tenth of a millisecond to some minutes.
    private static let bounds: [Duration] = (0..<80).map { step in
        .microseconds((0..<step).reduce(100.0) { bound, _ in bound * 1.2 })
    }

    let connected = Gauge()
    let enrolled = Counter()
    let renewed = Counter()
    let sent = Counter()
    let acknowledged = Counter()
    /// Tasks of which the server knows the end.
    let worked = Counter()
    let refused = Counter()
    private let latencies = Mutex([Int](repeating: 0, count: bounds.count))
    private let failures = Mutex<[(reason: String, example: String, count: Int)]>([])

    /// A reading was acknowledged so long after it was sent.
    func acknowledged(after time: Duration) {
        acknowledged.add()
        let index = Self.bounds.firstIndex { time <= $0 } ?? Self.bounds.count - 1
        latencies.withLock { $0[index] += 1 }
    }

    /// A device was refused, or its connection ended.
    func refused(_ device: String, _ error: any Error) {
        refused.add()
        let reason = Startup.sentence(for: error)
        failures.withLock { failures in
            if let index = failures.firstIndex(where: { $0.reason == reason }) {
                failures[index].count += 1
            } else if failures.count < Self.reasons {
                failures.append((reason, device, 1))
            } else {
                failures[Self.reasons - 1].count += 1
            }
        }
    }

    /// Why devices were refused: each reason with one device and how often.
    var reasons: [(reason: String, example: String, count: Int)] { failures.withLock { $0 } }

    /// The time within which this share of the acknowledgements since the last call of `startOver` came.
    private static func quantile(_ share: Double, of counts: [Int]) -> Duration? {
        let total = counts.reduce(0, +)
        guard total > 0 else { return nil }
        var rest = Int((Double(total) * share).rounded(.up))
        for (index, count) in counts.enumerated() {
            rest -= count
            if rest <= 0 { return bounds[index] }
        }
        return bounds.last
    }

    /// How things stand, with the acknowledgement times since the last reading of it.
    func progress(of members: Int, after time: Duration) -> SimulationProgress {
        let counts = latencies.withLock { latencies in
            defer { latencies = [Int](repeating: 0, count: latencies.count) }
            return latencies
        }
        return SimulationProgress(
            seconds: Int(time.components.seconds), members: members, connected: Int(connected.value),
            sent: Int(sent.value), acknowledged: Int(acknowledged.value), tasks: Int(worked.value),
            refused: Int(refused.value),
            median: Self.quantile(0.5, of: counts), slowest: Self.quantile(0.99, of: counts))
    }
}

/// One line of a simulation's progress.
struct SimulationProgress: Sendable {
    var seconds: Int
    var members: Int
    var connected: Int
    var sent: Int
    var acknowledged: Int
    var tasks: Int
    var refused: Int
    var median: Duration?
    var slowest: Duration?

    /// The line for people.
    var text: String {
        "\(seconds) s  connected \(connected)/\(members)  sent \(sent)  acknowledged \(acknowledged)  "
            + "tasks \(tasks)  refused \(refused)  "
            + "ack p50 \(Self.text(median))  p99 \(Self.text(slowest))"
    }

    /// The line for programs.
    var json: JSONValue {
        func microseconds(_ time: Duration?) -> JSONValue { time.map { .integer($0.microseconds) } ?? .null }
        return [
            "seconds": .integer(Int64(seconds)), "devices": .integer(Int64(members)),
            "connected": .integer(Int64(connected)), "sent": .integer(Int64(sent)),
            "acknowledged": .integer(Int64(acknowledged)), "tasks": .integer(Int64(tasks)),
            "refused": .integer(Int64(refused)),
            "ackP50": microseconds(median), "ackP99": microseconds(slowest),
        ]
    }

    private static func text(_ time: Duration?) -> String {
        guard let time else { return "-" }
        let tenths = (time.microseconds + 50) / 100
        return "\(tenths / 10).\(tenths % 10) ms"
    }
}
