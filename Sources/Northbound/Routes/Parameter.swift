import Base

/// One value that a caller gives in the path or the query.
public struct Parameter: Sendable {
    /// Where the value stands.
    public enum Place: String, Sendable {
        case path, query, header
    }

    /// The parameter's name.
    public let name: String
    /// Where it stands.
    public let place: Place
    /// The shape of its text.
    public let shape: Shape
    /// Whether it must be there.
    public let isRequired: Bool
    /// What it means, in a sentence.
    public let note: String

    /// A query parameter, optional unless said otherwise.
    public static func query(_ name: String, _ shape: Shape, _ note: String, required: Bool = false) -> Parameter {
        Parameter(name: name, place: .query, shape: shape, isRequired: required, note: note)
    }

    /// A path parameter.
    static func path(_ name: String, _ shape: Shape, _ note: String) -> Parameter {
        Parameter(name: name, place: .path, shape: shape, isRequired: true, note: note)
    }

    /// The two parameters of every list.
    public static let paging: [Parameter] = [
        .query("limit", .integer(1...Int64(NorthboundLimits.pageSize)), "How many elements to answer with at most."),
        .query("after", .text(.free(atMost: NorthboundLimits.cursorCharacters)), "The `next` of the page before."),
    ]

    /// The value that percent-encoded text spells, as JSON, for checking against the shape; nil when badly encoded.
    static func value(encoded text: Substring, as shape: Shape) -> JSONValue? {
        if case .array(let element, _) = shape {
            // A list is written with commas: series=power,voltage. Most clients write them %2C, so both separate.
            return String(percentDecoding: text, plusIsSpace: true).map { list in
                .array(
                    list.split(separator: ",", omittingEmptySubsequences: false).map {
                        value(of: String($0), as: element)
                    })
            }
        }
        return String(percentDecoding: text, plusIsSpace: true).map { value(of: $0, as: shape) }
    }

    private static func value(of text: String, as shape: Shape) -> JSONValue {
        switch shape {
        case .named(_, let inner), .nullable(let inner): return value(of: text, as: inner)
        case .integer: return Int64(text).map { .integer($0) } ?? .string(text)
        case .number: return Double(text).flatMap { $0.isFinite ? .number($0) : nil } ?? .string(text)
        case .boolean: return text == "true" ? .bool(true) : text == "false" ? .bool(false) : .string(text)
        default: return .string(text)
        }
    }
}
