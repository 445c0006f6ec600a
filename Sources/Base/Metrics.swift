import Synchronization

/// The counters, gauges and histograms of one process, written out as Prometheus text.
///
/// Asking twice for the same name and labels gives the same instrument, so parts need not pass instruments around.
/// Names and labels come from the program, never from the outside, so their number stays bounded.
public final class Metrics: Sendable {
    private enum Instrument {
        case counter(Counter)
        case gauge(Gauge)
        case reading(@Sendable () -> Double)
        case histogram(Histogram)
    }

    private struct Family {
        var type: String
        var help: String
        var members: [(labels: String, instrument: Instrument)] = []

        func member(_ labels: String) -> Instrument? { members.first { $0.labels == labels }?.instrument }
    }

    private let families = Mutex<[String: Family]>([:])

    /// A registry without instruments.
    public init() {}

    /// The counter of this name and these labels, made at the first call.
    public func counter(_ name: String, _ help: String, _ labels: KeyValuePairs<String, String> = [:]) -> Counter {
        if case .counter(let counter) = member(name, "counter", help, labels, { .counter(Counter()) }) {
            return counter
        }
        return Counter()
    }

    /// The gauge of this name and these labels, made at the first call.
    public func gauge(_ name: String, _ help: String, _ labels: KeyValuePairs<String, String> = [:]) -> Gauge {
        if case .gauge(let gauge) = member(name, "gauge", help, labels, { .gauge(Gauge()) }) { return gauge }
        return Gauge()
    }

    /// A gauge whose value is asked for at each reading; `read` must be quick and never block.
    public func gauge(
        _ name: String, _ help: String, _ labels: KeyValuePairs<String, String> = [:],
        read: @escaping @Sendable () -> Double
    ) {
        _ = member(name, "gauge", help, labels) { .reading(read) }
    }

    /// A counter that another part keeps and that is asked for at each reading; `read` must be quick and never block.
    public func counter(
        _ name: String, _ help: String, _ labels: KeyValuePairs<String, String> = [:],
        read: @escaping @Sendable () -> Double
    ) {
        _ = member(name, "counter", help, labels) { .reading(read) }
    }

    /// The histogram of this name and these labels with ascending upper bounds, made at the first call.
    public func histogram(
        _ name: String, _ help: String, _ labels: KeyValuePairs<String, String> = [:], bounds: [Double]
    ) -> Histogram {
        let made = member(name, "histogram", help, labels) { .histogram(Histogram(bounds: bounds)) }
        if case .histogram(let histogram) = made { return histogram }
        return Histogram(bounds: bounds)
    }

    private func member(
        _ name: String, _ type: String, _ help: String, _ labels: KeyValuePairs<String, String>,
        _ make: () -> Instrument
    ) -> Instrument {
        let text = labels.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
        return families.withLock { families in
            if let found = families[name]?.member(text) { return found }
            let instrument = make()
            families[name, default: Family(type: type, help: help)].members.append((text, instrument))
            return instrument
        }
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }

    /// Everything as Prometheus text (format 0.0.4), families in the order of their names.
    public func text() -> String {
        // The closures run outside the lock, so that one that asks for an instrument can not lock up.
        let current = families.withLock { $0 }
        var text = ""
        for (name, family) in current.sorted(by: { $0.key < $1.key }) {
            text += "# HELP \(name) \(family.help)\n# TYPE \(name) \(family.type)\n"
            for (labels, instrument) in family.members {
                let suffix = labels.isEmpty ? "" : "{\(labels)}"
                switch instrument {
                case .counter(let counter): text += "\(name)\(suffix) \(counter.value)\n"
                case .gauge(let gauge): text += "\(name)\(suffix) \(Self.number(gauge.value))\n"
                case .reading(let read): text += "\(name)\(suffix) \(Self.number(read()))\n"
                case .histogram(let histogram): histogram.write(name, labels, to: &text)
                }
            }
        }
        return text
    }

    fileprivate static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return String(value)
    }
}

/// A number that only grows, until the process ends.
public final class Counter: Sendable {
    private let count = Atomic<UInt64>(0)

    /// A counter at zero.
    public init() {}

    /// Adds `amount`.
    public func add(_ amount: Int = 1) {
        count.wrappingAdd(UInt64(max(amount, 0)), ordering: .relaxed)
    }

    /// What was counted so far.
    public var value: UInt64 { count.load(ordering: .relaxed) }
}

/// A number that goes up and down.
public final class Gauge: Sendable {
    private let bits = Atomic<UInt64>(0)

    /// A gauge at zero.
    public init() {}

    /// Replaces the value.
    public func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    /// Adds `amount`, which may be negative.
    public func add(_ amount: Double) { bits.add(amount) }

    /// The value now.
    public var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}

/// How many observations fell below each of a few bounds, and their sum.
public final class Histogram: Sendable {
    private let bounds: [Double]
    private let counters: [Counter]
    private let sum = Atomic<UInt64>(0)

    /// An empty histogram with ascending upper bounds; what lies above the last is counted too.
    public init(bounds: [Double]) {
        self.bounds = bounds
        counters = (0...bounds.count).map { _ in Counter() }
    }

    /// Counts one observation.
    public func observe(_ value: Double) {
        counters[bounds.firstIndex { value <= $0 } ?? bounds.count].add()
        sum.add(value)
    }

    /// Counts one duration, in seconds.
    public func observe(_ duration: Duration) { observe(Double(duration.microseconds) / 1_000_000) }

    fileprivate func write(_ name: String, _ labels: String, to text: inout String) {
        let prefix = labels.isEmpty ? "" : labels + ","
        let suffix = labels.isEmpty ? "" : "{\(labels)}"
        var total: UInt64 = 0
        for (bound, counter) in zip(bounds.map(Metrics.number) + ["+Inf"], counters) {
            total += counter.value
            text += "\(name)_bucket{\(prefix)le=\"\(bound)\"} \(total)\n"
        }
        text += "\(name)_sum\(suffix) \(Metrics.number(Double(bitPattern: sum.load(ordering: .relaxed))))\n"
        text += "\(name)_count\(suffix) \(total)\n"
    }
}

extension Atomic<UInt64> {
    /// Adds to the floating-point number kept as its bit pattern.
    fileprivate borrowing func add(_ amount: Double) {
        var current = load(ordering: .relaxed)
        while true {
            let sum = (Double(bitPattern: current) + amount).bitPattern
            let (exchanged, original) = compareExchange(expected: current, desired: sum, ordering: .relaxed)
            if exchanged { return }
            current = original
        }
    }
}
