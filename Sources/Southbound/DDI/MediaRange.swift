/// What media types a request brings and takes, as far as hawkBit's API has them (RFC 9110, sections 8.3 and 12.5.1).
enum MediaRange {
    /// How a document is written.
    enum Form: Hashable, Sendable {
        case json
        case cbor
    }

    /// What who sent these fields `Accept` gets: JSON, which who says nothing takes, or else CBOR; nil when neither.
    static func taken(_ accept: [String]) -> Form? {
        guard accept.contains(where: { !$0.isEmpty }) else { return .json }
        let types = accept.flatMap { $0.split(separator: ",").compactMap(type) }
        if types.contains(where: { ["*/*", "application/*"].contains($0) || form($0) == .json }) { return .json }
        return types.contains { form($0) == .cbor } ? .cbor : nil
    }

    /// How a body of this `Content-Type` is written, as JSON when it has none; nil when it is neither.
    static func brought(_ type: String?) -> Form? {
        guard let type, !type.isEmpty else { return .json }
        return form(word(type.prefix { $0 != ";" }))
    }

    /// The type of an item of a field `Accept`; nil when it is named as one that is not wanted.
    private static func type(_ item: Substring) -> String? {
        let parts = item.split(separator: ";").map(word)
        guard let type = parts.first else { return nil }
        return parts.dropFirst().contains { ["q=0", "q=0.0", "q=0.00", "q=0.000"].contains($0) } ? nil : type
    }

    private static func word(_ text: Substring) -> String { text.filter { $0 != " " && $0 != "\t" }.lowercased() }

    private static func form(_ type: String) -> Form? {
        switch type {
        case "application/json", "application/hal+json": .json
        case "application/cbor": .cbor
        default: nil
        }
    }
}
