/// What media types a request brings and takes, as far as JSON is concerned (RFC 9110, sections 8.3 and 12.5.1).
enum MediaRange {
    /// Whether who sent these fields `Accept` takes JSON; who says nothing does.
    static func takesJSON(_ accept: [String]) -> Bool {
        guard accept.contains(where: { !$0.isEmpty }) else { return true }
        return accept.contains { $0.split(separator: ",").contains(where: takesJSON) }
    }

    /// Whether a body of this `Content-Type` is JSON; one of no type is taken for it.
    static func bringsJSON(_ type: String?) -> Bool {
        guard let type, !type.isEmpty else { return true }
        return isJSON(word(type.prefix { $0 != ";" }))
    }

    private static func takesJSON(_ item: Substring) -> Bool {
        let parts = item.split(separator: ";").map(word)
        guard let type = parts.first, ["*/*", "application/*"].contains(type) || isJSON(type) else { return false }
        return !parts.dropFirst().contains { ["q=0", "q=0.0", "q=0.00", "q=0.000"].contains($0) }
    }

    private static func word(_ text: Substring) -> String { text.filter { $0 != " " && $0 != "\t" }.lowercased() }

    private static func isJSON(_ type: String) -> Bool { type == "application/json" || type == "application/hal+json" }
}
