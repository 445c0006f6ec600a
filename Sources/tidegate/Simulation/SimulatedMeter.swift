import Base

/// A household electricity meter that was never built: voltage wanders, loads switch on and off, energy only rises.
struct SimulatedMeter: Sendable {
    private var random: SplitMix
    private var voltage = 2300
    private var loads: [Int]
    private var energy: Int
    private var phase: Double

    /// A meter whose course depends on `seed` only.
    init(seed: UInt64) {
        random = SplitMix(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1)
        loads = [0, 0, 0, 0]
        energy = Int(random.next() % 5_000_000)
        phase = Double(random.next() % 1000) / 1000
    }

    /// The reading after `seconds` more, as SenML JSON (RFC 8428) with units of RFC 8798.
    mutating func reading(after seconds: Double, now: Timestamp) -> String {
        voltage = min(max(voltage + Int(random.next() % 7) - 3, 2210), 2420)
        for (index, watts) in [60, 120, 900, 2000].enumerated() where random.next() % 40 == 0 {
            loads[index] = loads[index] == 0 ? watts + Int(random.next() % 30) : 0
        }
        let power = 45 + loads.reduce(0, +) + Int(random.next() % 5)
        energy += Int(Double(power) * seconds / 360)
        let current = power * 10_000 / voltage
        return """
            [{"bt":\(now.microseconds / 1_000_000).\(Self.digits(Int(now.microseconds % 1_000_000 / 1000), 3)),\
            "n":"voltage","u":"V","v":\(Self.decimal(voltage, 1))},\
            {"n":"current","u":"A","v":\(Self.decimal(current, 2))},\
            {"n":"power","u":"W","v":\(power)},\
            {"n":"energy","u":"Wh","v":\(Self.decimal(energy, 1))}]
            """
    }

    private static func digits(_ value: Int, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(width - text.count, 0)) + text
    }

    /// `value` with its last `places` digits behind the point.
    private static func decimal(_ value: Int, _ places: Int) -> String {
        var power = 1
        for _ in 0..<places { power *= 10 }
        return "\(value / power).\(digits(value % power, places))"
    }

    /// A small generator whose course is the same on every machine, for simulations only.
    struct SplitMix: Sendable {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
