import Base

/// Splits a filter's text into words, quoted texts, operators and brackets.
struct DeviceFilterLexer {
    enum Token: Hashable {
        case word(String)
        case quoted(String)
        case equal
        case unequal
        case contains
        case open
        case close
        case end
    }

    private let text: [UInt8]
    private var index = 0

    init(_ text: some StringProtocol) { self.text = Array(text.utf8) }

    /// The next token and the byte, counted from one, at which it begins.
    mutating func next() throws(Refusal) -> (token: Token, column: Int) {
        while index < text.count, text[index] == 0x20 || text[index] == 0x09 { index += 1 }
        let column = index + 1
        guard index < text.count else { return (.end, column) }
        let byte = text[index]
        switch byte {
        case UInt8(ascii: "("): return (advance(.open), column)
        case UInt8(ascii: ")"): return (advance(.close), column)
        case UInt8(ascii: "="): return (advance(.equal), column)
        case UInt8(ascii: "~"): return (advance(.contains), column)
        case UInt8(ascii: "!"):
            index += 1
            guard index < text.count, text[index] == UInt8(ascii: "=") else {
                throw Self.fault("! must be followed by =", at: column)
            }
            return (advance(.unequal), column)
        case UInt8(ascii: "\""): return (.quoted(try quoted(column)), column)
        default: return (.word(try word(column)), column)
        }
    }

    static func fault(_ message: String, at column: Int) -> Refusal {
        Refusal(
            .invalid, "filter.invalid", "the filter is wrong at character \(column): \(message)",
            faults: [Refusal.Fault(place: "character \(column)", message: message)])
    }

    private mutating func advance(_ token: Token) -> Token {
        index += 1
        return token
    }

    private mutating func quoted(_ column: Int) throws(Refusal) -> String {
        index += 1
        var content: [UInt8] = []
        while index < text.count {
            let byte = text[index]
            index += 1
            // Nothing that could be found holds one, and PostgreSQL takes no text with a zero.
            guard byte > 0x1F, byte != 0x7F else {
                throw Self.fault("control characters are not allowed", at: index)
            }
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: content, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard index < text.count, text[index] > 0x1F, text[index] != 0x7F else { continue }
                content.append(text[index])
                index += 1
            default: content.append(byte)
            }
        }
        throw Self.fault("the quoted text does not end", at: column)
    }

    private mutating func word(_ column: Int) throws(Refusal) -> String {
        let start = index
        while index < text.count, !" \t()=~!\"".utf8.contains(text[index]) { index += 1 }
        let word = text[start..<index]
        guard word.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw Self.fault("control characters are not allowed", at: column)
        }
        return String(decoding: word, as: UTF8.self)
    }
}
