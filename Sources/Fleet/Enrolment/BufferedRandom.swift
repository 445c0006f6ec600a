#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The system's secure random source, drawn from in blocks: a call to the kernel for each eight bytes would be a third
/// of the cost of registering a hundred thousand devices.
struct BufferedRandom: RandomNumberGenerator {
    /// The most that one call gives (getentropy(3)).
    private static let blockWords = 32

    private var words: [UInt64] = []
    private var system = SystemRandomNumberGenerator()

    mutating func next() -> UInt64 {
        if words.isEmpty {
            words = [UInt64](repeating: 0, count: Self.blockWords)
            let failed = words.withUnsafeMutableBytes { getentropy($0.baseAddress, $0.count) != 0 }
            // The standard library's source ends the program rather than give anything predictable.
            if failed { words = [system.next()] }
        }
        return words.removeLast()
    }
}
