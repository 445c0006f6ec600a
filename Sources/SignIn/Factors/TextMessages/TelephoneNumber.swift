/// A telephone's number as the whole world dials it (E.164): a plus sign and 8 to 15 digits.
public struct TelephoneNumber: Hashable, Sendable, CustomStringConvertible {
    /// The number without spaces.
    public let text: String

    /// The number that somebody typed, with spaces, dashes, dots and parentheses as they like; nil when it is none.
    public init?(_ typed: some StringProtocol) {
        guard typed.utf8.count <= SignInLimits.typedBytes else { return nil }
        let bare = typed.utf8.filter { !" -.()/".utf8.contains($0) }
        guard bare.first == UInt8(ascii: "+"), (9...16).contains(bare.count),
            bare.dropFirst().first != UInt8(ascii: "0"),
            bare.dropFirst().allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        text = String(decoding: bare, as: UTF8.self)
    }

    /// The last digits, by which its holder knows it and nobody else can.
    public var end: String { String(text.suffix(3)) }

    /// The last digits only, so that the number stays out of logs.
    public var description: String { "…\(end)" }
}
