/// Compares secrets in a time that depends on their lengths only.
public enum ConstantTime {
    /// True when both hold the same bytes; how long it takes tells nothing about where they differ.
    public static func equal(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for (a, b) in zip(left, right) { difference |= a ^ b }
        return difference == 0
    }
}
