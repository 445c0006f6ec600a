/// Splits SQL text into tokens, strictly.
///
/// Both engines must see the same statement, and the tenant check must see what the engines see. So everything that
/// the two read differently is refused: back-quoted and bracketed names, `?`, `:x` and `@x` parameters, dollar and
/// escape strings, nested comments.
struct SQLScanner {
    enum Token: Equatable {
        /// A keyword or an unquoted name, in lower case.
        case word(String)
        /// A double-quoted name, in lower case because SQLite compares names so.
        case quoted(String)
        case string
        case number
        case parameter(Int)
        case symbol(UInt8)
    }

    private let bytes: [UInt8]
    private(set) var position = 0
    /// Where the token that `next` gave last begins.
    private(set) var start = 0

    init(_ sql: String) {
        bytes = Array(sql.utf8)
    }

    /// The text between two positions.
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// The next token, or nil at the end.
    mutating func next() throws -> Token? {
        try skipSpace()
        start = position
        guard position < bytes.count else { return nil }
        let byte = bytes[position]
        switch byte {
        case UInt8(ascii: "'"):
            try skipQuoted(by: byte)
            return .string
        case UInt8(ascii: "\""):
            try skipQuoted(by: byte)
            let name = text(start + 1..<position - 1)
            guard !name.utf8.contains(byte) else { throw refusal("a name holds a quotation mark") }
            return .quoted(name.lowercased())
        case UInt8(ascii: "$"):
            return .parameter(try parameter())
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            while position < bytes.count, Self.isWord(bytes[position]) || bytes[position] == UInt8(ascii: ".") {
                position += 1
            }
            return .number
        case UInt8(ascii: "`"), UInt8(ascii: "["), UInt8(ascii: "?"), UInt8(ascii: ":"), UInt8(ascii: "@"),
            UInt8(ascii: "\\"):
            throw refusal("'\(Character(Unicode.Scalar(byte)))' is not in the dialect that both engines share")
        default:
            guard Self.isWord(byte) else {
                position += 1
                return .symbol(byte)
            }
            while position < bytes.count, Self.isWord(bytes[position]) { position += 1 }
            if position < bytes.count, "'\"$".utf8.contains(bytes[position]) {
                throw refusal("a quotation mark or '$' directly follows a word")
            }
            return .word(text(start..<position).lowercased())
        }
    }

    private mutating func parameter() throws -> Int {
        position += 1
        var number = 0
        let first = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            number = number * 10 + Int(bytes[position] - UInt8(ascii: "0"))
            guard number <= StorageLimits.parameters else { throw refusal("a parameter's number is too high") }
            position += 1
        }
        guard position > first, number > 0, bytes[first] != UInt8(ascii: "0"),
            position == bytes.count || !(Self.isWord(bytes[position]) || bytes[position] == UInt8(ascii: "$"))
        else { throw refusal("'$' begins no parameter") }
        return number
    }

    /// Passes over a literal or name, in which the mark is written twice to mean itself.
    private mutating func skipQuoted(by mark: UInt8) throws {
        position += 1
        while position < bytes.count {
            if bytes[position] == 0 { break }
            if bytes[position] != mark {
                position += 1
            } else if position + 1 < bytes.count, bytes[position + 1] == mark {
                position += 2
            } else {
                position += 1
                return
            }
        }
        throw refusal("a quotation is not closed")
    }

    private mutating func skipSpace() throws {
        while position < bytes.count {
            let byte = bytes[position]
            let following = position + 1 < bytes.count ? bytes[position + 1] : 0
            if byte == UInt8(ascii: " ") || (9...13).contains(byte) {
                position += 1
            } else if byte == UInt8(ascii: "-"), following == byte {
                while position < bytes.count, bytes[position] != UInt8(ascii: "\n") {
                    guard bytes[position] != 0, bytes[position] != UInt8(ascii: "\r") else {
                        throw refusal("a comment holds a control character")
                    }
                    position += 1
                }
            } else if byte == UInt8(ascii: "/"), following == UInt8(ascii: "*") {
                try skipComment()
            } else {
                return
            }
        }
    }

    private mutating func skipComment() throws {
        position += 2
        while position + 1 < bytes.count {
            switch (bytes[position], bytes[position + 1]) {
            case (UInt8(ascii: "*"), UInt8(ascii: "/")):
                position += 2
                return
            case (UInt8(ascii: "/"), UInt8(ascii: "*")): throw refusal("comments nest")
            default: position += 1
            }
        }
        throw refusal("a comment is not closed")
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...0xFF:
            true
        default: false
        }
    }

    private func refusal(_ reason: String) -> StorageError {
        StorageError(.misuse, "SQL refused at byte \(position): \(reason)")
    }
}
