import Base

/// Values by name as `application/x-www-form-urlencoded` writes them, in bodies and in queries.
public enum FormText {
    /// The values in `text`, or nil when it is badly encoded, has too many, or gives one twice (RFC 6749, section 3.1).
    public static func values(_ text: some StringProtocol) -> [String: String]? {
        guard text.utf8.count <= OAuthLimits.formBytes else { return nil }
        var values: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(parts[0]), let value = parts.count > 1 ? decoded(parts[1]) : "",
                values[name] == nil, values.count < OAuthLimits.formValues
            else { return nil }
            values[name] = value
        }
        // RFC 6749, section 3.1: a value that is sent empty counts as not sent.
        return values.filter { !$0.value.isEmpty }
    }

    /// The text that `text` stands for, nil when it is badly encoded or holds a control character.
    static func decoded(_ text: some StringProtocol) -> String? {
        String(percentDecoding: text, plusIsSpace: true).flatMap { value in
            value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } ? value : nil
        }
    }

    /// Values as text, in the order of their names.
    public static func text(_ values: [String: String]) -> String {
        values.sorted { $0.key < $1.key }.map { $0.key.percentEncoded + "=" + $0.value.percentEncoded }.joined(
            separator: "&")
    }
}
