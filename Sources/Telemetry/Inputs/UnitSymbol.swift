/// The name of a unit, such as `kWh`: up to 16 visible ASCII characters held in place.
public struct UnitSymbol: Hashable, Sendable {
    private let low: UInt64
    private let high: UInt64

    /// No unit given.
    public static let none = UnitSymbol(low: 0, high: 0)

    private init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// The unit spelt by `bytes`, or nil unless these are 1 to 16 visible ASCII characters.
    public init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard (1...16).contains(bytes.count) else { return nil }
        var low: UInt64 = 0
        var high: UInt64 = 0
        for (index, byte) in bytes.enumerated() {
            guard byte > 0x20, byte < 0x7F else { return nil }
            if index < 8 { low |= UInt64(byte) << (8 * index) } else { high |= UInt64(byte) << (8 * (index - 8)) }
        }
        self.init(low: low, high: high)
    }

    /// The unit spelt by `text`, or nil unless this is 1 to 16 visible ASCII characters.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard let unit = bytes.withUnsafeBufferPointer({ UnitSymbol($0) }) else { return nil }
        self = unit
    }

    /// The unit's name; empty when none was given.
    public var text: String {
        var bytes: [UInt8] = []
        for word in [low, high] {
            for shift in stride(from: 0, to: 64, by: 8) {
                let byte = UInt8(truncatingIfNeeded: word >> UInt64(shift))
                if byte != 0 { bytes.append(byte) }
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension UnitSymbol: CustomStringConvertible {
    /// The unit's name, as `text`.
    public var description: String { text }
}
