/// What a device can do, a set of words.
public struct Capabilities: OptionSet, Hashable, Sendable {
    /// One bit for each of the words.
    public let rawValue: UInt8

    /// The set with these bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Sends telemetry.
    public static let reports = Capabilities(rawValue: 1)
    /// Takes tasks.
    public static let tasks = Capabilities(rawValue: 2)
    /// Relays to the machines at its site: an agent.
    public static let relays = Capabilities(rawValue: 4)
    /// Hears radio messages: a station.
    public static let hears = Capabilities(rawValue: 8)
    /// Carries a SIM.
    public static let sim = Capabilities(rawValue: 16)

    /// What a device has when nobody says otherwise: it reports and takes tasks.
    public static let usual: Capabilities = [.reports, .tasks]

    static let words: [(word: String, capability: Capabilities)] = [
        ("reports", .reports), ("tasks", .tasks), ("relays", .relays), ("hears", .hears), ("sim", .sim),
    ]

    /// The capability of this name, or nil when there is none.
    public init?(word: some StringProtocol) {
        guard let match = Self.words.first(where: { $0.word == word }) else { return nil }
        self = match.capability
    }

    /// The words of the set, always in the same order.
    public var list: [String] { Self.words.filter { contains($0.capability) }.map(\.word) }
}
