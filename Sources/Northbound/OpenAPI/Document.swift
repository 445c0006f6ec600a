import Base
import Synchronization

/// The bytes of the description of the table that holds it: the one route whose answer needs the whole table.
final class Document: Sendable {
    private let text = Mutex<[UInt8]>([])

    /// Describes a table, once, before the first request.
    func describe(_ table: RouteTable) {
        let described = Array(OpenAPIDocument(table).value.indented.utf8)
        text.withLock { $0 = described }
    }

    /// The document.
    func bytes() -> [UInt8] { text.withLock { $0 } }
}

extension JSONValue {
    /// The value with a line for each member, keys sorted, so that two versions can be compared line by line.
    var indented: String { indented("") + "\n" }

    private func indented(_ margin: String) -> String {
        let inner = margin + "  "
        switch self {
        case .array(let elements) where !elements.isEmpty:
            return "[\n" + elements.map { inner + $0.indented(inner) }.joined(separator: ",\n") + "\n\(margin)]"
        case .object(let members) where !members.isEmpty:
            let lines = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { member in
                inner + JSONValue.string(member.key).canonical + ": " + member.value.indented(inner)
            }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(margin)}"
        default: return canonical
        }
    }
}
