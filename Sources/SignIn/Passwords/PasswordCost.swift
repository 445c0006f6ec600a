/// What one Argon2id computation takes (RFC 9106), the same for every password that is set from now on.
public struct PasswordCost: Sendable, Hashable {
    /// KiB of memory.
    public var memory: UInt32
    /// Passes over the memory.
    public var passes: UInt32
    /// Lanes; one thread computes them all, so that the pool decides how many processors are used.
    public var lanes: UInt32

    /// A cost of these figures.
    public init(memory: UInt32, passes: UInt32, lanes: UInt32 = 1) {
        self.memory = memory
        self.passes = passes
        self.lanes = lanes
    }

    /// 19 MiB and two passes: the least that OWASP's password storage cheat sheet recommends for Argon2id, because
    /// every sign-in takes it on a server that has readings to take in as well.
    public static let standard = PasswordCost(memory: 19 * 1024, passes: 2)

    /// What a stored hash may ask for: nothing that somebody wrote into the table may take the server's memory.
    var isBounded: Bool {
        (8...64 * 1024).contains(memory) && (1...16).contains(passes) && (1...8).contains(lanes) && memory >= 8 * lanes
    }
}
