import Base
import FoundationEssentials

/// How a text message becomes a request to an SMS gateway: a method, an address, header fields and a body with `{to}`,
/// `{text}`, `{id}` and `{secret}` in them.
///
/// Each value is escaped for the place where it stands: in the address and in form bodies per cent, in JSON and XML as
/// those write strings, and in header fields not at all, where only values without line breaks can stand.
struct GatewayTemplate: Hashable, Sendable {
    /// What a value means in the place where it is put.
    enum Place: Sendable {
        case address, form, json, xml, header, plain
    }

    static let names: Set<String> = ["to", "text", "id", "secret"]

    var method: String
    var address: String
    var headers: [String: String]
    var mediaType: String
    var body: String

    /// What is wrong with the template, or nil.
    var fault: (place: String, message: String)? {
        guard ["GET", "POST", "PUT"].contains(method) else { return ("method", "must be GET, POST or PUT") }
        guard address.utf8.count <= DeliveryLimits.templateBytes, HTTPSAddress(sample(address, .address)) != nil,
            HTTPSAddress(Self.origin(of: address)) != nil
        else { return ("url", "must be an https:// address whose host has no placeholder in it") }
        guard headers.count <= DeliveryLimits.templateHeaders else {
            return ("headers", "must be at most \(DeliveryLimits.templateHeaders)")
        }
        for (name, value) in headers {
            guard Self.isFieldName(name), OutboundMessage.isOneLine(value, atMost: DeliveryLimits.templateBytes) else {
                return ("headers/\(name)", "must be a header field's name and one line of text")
            }
            guard !["host", "content-length", "transfer-encoding", "connection"].contains(name.lowercased()) else {
                return ("headers/\(name)", "is set by the server itself")
            }
            // What somebody else wrote never goes into a header field, where a line break would begin another.
            guard !value.contains("{text}") else { return ("headers/\(name)", "can not hold {text}") }
        }
        guard body.utf8.count <= DeliveryLimits.templateBytes else {
            return ("body", "must have at most \(DeliveryLimits.templateBytes) bytes")
        }
        guard method != "GET" || body.isEmpty else { return ("body", "must be empty with GET") }
        guard let place = bodyPlace else {
            return ("contentType", "must be a media type such as application/json")
        }
        for template in [address, body] + headers.values.sorted() {
            if let unknown = Self.unknownPlaceholder(in: template) {
                return ("body", "has the placeholder {\(unknown)}, which is none of {to}, {text}, {id} and {secret}")
            }
        }
        if place == .json, !body.isEmpty, (try? JSONValue(parsing: Array(sample(body, .json).utf8))) == nil {
            return ("body", "must be JSON once its placeholders are filled; put them between quotation marks")
        }
        return nil
    }

    /// How values are escaped in the body, or nil when the media type is none.
    var bodyPlace: Place? {
        let type = mediaType.prefix { $0 != ";" }.lowercased()
        guard type.split(separator: "/").count == 2, OutboundMessage.isOneLine(mediaType, atMost: 100) else {
            return nil
        }
        if type == "application/json" || type.hasSuffix("+json") { return .json }
        if type == "application/x-www-form-urlencoded" { return .form }
        if type.hasSuffix("/xml") || type.hasSuffix("+xml") { return .xml }
        return .plain
    }

    /// A template with its placeholders filled.
    static func filled(_ template: String, _ place: Place, _ values: [String: String]) -> String {
        var result = ""
        var rest = template[...]
        while let open = rest.firstIndex(of: "{") {
            result += rest[..<open]
            let after = rest[rest.index(after: open)...]
            if let close = after.firstIndex(of: "}"), let value = values[String(after[..<close])] {
                result += escaped(value, place)
                rest = after[after.index(after: close)...]
            } else {
                result += "{"
                rest = after
            }
        }
        return result + rest
    }

    /// A value as it stands in a place.
    static func escaped(_ value: String, _ place: Place) -> String {
        switch place {
        case .header, .plain: return value
        case .json: return String(Substring(JSONValue.string(value).canonical.utf8.dropFirst().dropLast()))
        case .xml:
            // XML 1.0 has no way to write the others below the space.
            let writable = value.unicodeScalars.filter { $0.value >= 0x20 || "\t\n\r".unicodeScalars.contains($0) }
            return String(writable).markupEscaped
        case .address, .form: return value.percentEncoded
        }
    }

    private func sample(_ template: String, _ place: Place) -> String {
        Self.filled(template, place, ["to": "+493012345", "text": "a\"b\\c\n{d}", "id": "00", "secret": "s\"e"])
    }

    /// The address up to its path, where no placeholder may stand.
    static func origin(of address: String) -> String {
        let start = address.hasPrefix("https://") ? address.dropFirst(8) : address[...]
        return "https://" + start.prefix { $0 != "/" && $0 != "?" }
    }

    /// A word in braces that is no placeholder; braces around anything else are text.
    private static func unknownPlaceholder(in template: String) -> String? {
        for piece in template.split(separator: "{", omittingEmptySubsequences: false).dropFirst() {
            guard let close = piece.firstIndex(of: "}") else { continue }
            let word = piece[..<close]
            let isWord = !word.isEmpty && word.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
            if isWord, !names.contains(String(word)) { return String(word) }
        }
        return nil
    }

    private static func isFieldName(_ text: String) -> Bool {
        (1...100).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                byte < 0x80 && (Character(Unicode.Scalar(byte)).isLetter || Character(Unicode.Scalar(byte)).isNumber)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
    }
}
