/// The length of a step as people write it: a whole number and `ms`, `s`, `m`, `h` or `d`.
struct StepLength: Hashable, Sendable {
    /// The length.
    let duration: Duration

    /// The length that `text` spells, from a millisecond to 366 days, or nil when it spells none.
    init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard (1...12).contains(digits.count), let count = Int64(digits) else { return nil }
        let factor: Int64
        switch text[digits.endIndex...] {
        case "ms": factor = 1
        case "s": factor = 1000
        case "m": factor = 60_000
        case "h": factor = 3_600_000
        case "d": factor = 86_400_000
        default: return nil
        }
        let (milliseconds, overflow) = count.multipliedReportingOverflow(by: factor)
        guard !overflow, (1...366 * 86_400_000).contains(milliseconds) else { return nil }
        duration = .milliseconds(milliseconds)
    }
}
