/// Bounds on JSON text from outside.
public struct JSONLimits: Sendable {
    /// How many bytes the text may have.
    public var bytes: Int
    /// How deep arrays and objects may nest.
    public var depth: Int

    /// Bounds of this many bytes and levels.
    public init(bytes: Int = 1 << 20, depth: Int = 32) {
        self.bytes = bytes
        self.depth = depth
    }
}

/// Why text is not the JSON that was wanted.
public struct JSONFault: Error, Hashable, Sendable {
    /// The JSON pointer (RFC 6901) to the value where it went wrong.
    public var pointer: String
    /// The byte where it went wrong, counted from zero.
    public var offset: Int
    /// What is wrong there.
    public var message: String
}

extension JSONValue {
    /// The value that the UTF-8 text in `bytes` spells, strictly after RFC 8259.
    ///
    /// A member named twice in one object is refused: two readers could otherwise understand it differently
    /// (RFC 8259, section 4). A whole number that does not fit 64 bits becomes the nearest floating-point number;
    /// one that is not finite is refused.
    public init(parsing bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONFault) {
        guard bytes.count <= limits.bytes else {
            throw JSONFault(pointer: "", offset: limits.bytes, message: "the text is longer than \(limits.bytes) bytes")
        }
        var parser = JSONParser(bytes: bytes, depth: limits.depth)
        self = try parser.document()
    }
}

extension String {
    /// This text as one step of a JSON pointer (RFC 6901): `~` and `/` escaped.
    public var jsonPointerStep: String {
        guard utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return self }
        var escaped = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "~": escaped += "~0"
            case "/": escaped += "~1"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

/// A recursive-descent reader; its depth is bounded, so its stack is too.
private struct JSONParser {
    private let bytes: [UInt8]
    private let depth: Int
    private var index = 0
    private var path: [String] = []

    init(bytes: [UInt8], depth: Int) {
        self.bytes = bytes
        self.depth = depth
    }

    mutating func document() throws(JSONFault) -> JSONValue {
        let result = try value(level: 0)
        skipSpace()
        guard index == bytes.count else { throw fault("there is something after the end of the value") }
        return result
    }

    private func fault(_ message: String) -> JSONFault {
        JSONFault(pointer: path.map { "/" + $0 }.joined(), offset: index, message: message)
    }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        index += 1
        return true
    }

    private mutating func value(level: Int) throws(JSONFault) -> JSONValue {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"):
            guard level < depth else { throw fault("nested deeper than \(depth) levels") }
            return try object(level: level + 1)
        case UInt8(ascii: "["):
            guard level < depth else { throw fault("nested deeper than \(depth) levels") }
            return try array(level: level + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case nil: throw fault("the text ends where a value should be")
        default: return try number()
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONFault) -> JSONValue {
        let length = text.utf8CodeUnitCount
        let matches = text.withUTF8Buffer { bytes[index...].prefix(length).elementsEqual($0) }
        guard matches else { throw fault("not a JSON value") }
        index += length
        return value
    }

    private mutating func array(level: Int) throws(JSONFault) -> JSONValue {
        index += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            path.append(String(elements.count))
            elements.append(try value(level: level))
            path.removeLast()
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(elements) }
            guard take(UInt8(ascii: ",")) else { throw fault("expected , or ] after an element") }
        }
    }

    private mutating func object(level: Int) throws(JSONFault) -> JSONValue {
        index += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw fault("expected a member's name in quotes") }
            let name = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw fault("expected : after a member's name") }
            path.append(name.jsonPointerStep)
            guard members[name] == nil else { throw fault("this member is there twice") }
            members[name] = try value(level: level)
            path.removeLast()
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw fault("expected , or } after a member") }
        }
    }

    private mutating func string() throws(JSONFault) -> String {
        index += 1
        var text: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                guard let result = String(validating: text, as: UTF8.self) else {
                    throw fault("the string is not valid UTF-8")
                }
                index += 1
                return result
            case UInt8(ascii: "\\"):
                index += 1
                try escape(into: &text)
            case 0..<0x20: throw fault("a control character in a string must be escaped")
            default:
                text.append(byte)
                index += 1
            }
        }
        throw fault("the string does not end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONFault) {
        guard let letter = next else { throw fault("the string does not end") }
        index += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = UInt32(try fourDigits())
            if (0xD800..<0xDC00).contains(code) {
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw fault("half a surrogate pair") }
                let low = UInt32(try fourDigits())
                guard (0xDC00..<0xE000).contains(low) else { throw fault("half a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw fault("half a surrogate pair") }
            text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default: throw fault("unknown escape in a string")
        }
    }

    private mutating func fourDigits() throws(JSONFault) -> UInt16 {
        guard index + 4 <= bytes.count,
            let pair = [UInt8](hex: String(decoding: bytes[index..<index + 4], as: UTF8.self)), pair.count == 2
        else { throw fault("\\u must be followed by four hexadecimal digits") }
        index += 4
        return UInt16(pair[0]) << 8 | UInt16(pair[1])
    }

    private mutating func number() throws(JSONFault) -> JSONValue {
        let start = index
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) {
            guard skipDigits() > 0 else {
                index = start
                throw fault("not a JSON value")
            }
        }
        var isWhole = true
        if take(UInt8(ascii: ".")) {
            isWhole = false
            guard skipDigits() > 0 else { throw fault("digits must follow the decimal point") }
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isWhole = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            guard skipDigits() > 0 else { throw fault("digits must follow the exponent's e") }
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if isWhole, let whole = Int64(text) { return .integer(whole) }
        guard let value = Double(text), value.isFinite else { throw fault("the number is too large") }
        return .number(value)
    }

    private mutating func skipDigits() -> Int {
        let start = index
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
        return index - start
    }
}
