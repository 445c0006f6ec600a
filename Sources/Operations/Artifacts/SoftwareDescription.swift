import Base

/// The files that a `sw-description` names, with the hashes that it says they have (SWUpdate, doc/source/sw-description.rst).
///
/// It is read in libconfig's form or as JSON, the two that SWUpdate has built in; what is neither, as for a parser of
/// somebody's own in Lua, is not understood here.
struct SoftwareDescription: Hashable, Sendable {
    /// A file that an image, script or other artefact is made of.
    struct File: Hashable, Sendable {
        let name: String
        /// Its SHA-256; nil when none is said, or something that is none.
        let sha256: [UInt8]?
    }

    /// The files, each once for every place that names it.
    let files: [File]

    /// The description in these bytes; nil when it can not be understood.
    init?(_ bytes: [UInt8]) {
        guard bytes.count <= OperationLimits.descriptionBytes, let text = String(validating: bytes, as: UTF8.self)
        else { return nil }
        let limits = JSONLimits(bytes: OperationLimits.descriptionBytes, depth: OperationLimits.descriptionDepth)
        var reader = LibconfigReader(text)
        guard let tree = reader.settings() ?? (try? JSONValue(parsing: bytes, limits: limits)) else { return nil }
        var files: [File] = []
        Self.collect(tree, into: &files)
        self.files = files
    }

    private static func collect(_ value: JSONValue, into files: inout [File]) {
        switch value {
        case .array(let elements): for element in elements { collect(element, into: &files) }
        case .object(let members):
            if let name = members["filename"]?.string {
                let hash = members["sha256"]?.string.flatMap { [UInt8](hex: $0) }
                files.append(File(name: name, sha256: hash?.count == 32 ? hash : nil))
            }
            for (_, member) in members.sorted(by: { $0.key < $1.key }) { collect(member, into: &files) }
        default: break
        }
    }
}

/// Reads libconfig's text into groups as objects, lists and arrays as arrays, strings as strings, all else as null
/// (libconfig manual, section 3).
struct LibconfigReader {
    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    /// The settings up to the end of the text; nil when the text is something else.
    mutating func settings() -> JSONValue? {
        guard let group = group(until: nil), position == bytes.count else { return nil }
        return group
    }

    private mutating func group(until end: UInt8?) -> JSONValue? {
        var members: [String: JSONValue] = [:]
        while true {
            skip()
            guard let next = peek() else { return end == nil ? .object(members) : nil }
            if next == end {
                position += 1
                return .object(members)
            }
            guard let name = name() else { return nil }
            skip()
            guard take(":") || take("=") else { return nil }
            // A name that is there twice is an error in libconfig as well.
            guard members[name] == nil, let value = value() else { return nil }
            members[name] = value
            skip()
            if !take(";") { _ = take(",") }
        }
    }

    private mutating func value() -> JSONValue? {
        skip()
        guard depth < OperationLimits.descriptionDepth else { return nil }
        depth += 1
        defer { depth -= 1 }
        switch peek() {
        case UInt8(ascii: "{"):
            position += 1
            return group(until: UInt8(ascii: "}"))
        case UInt8(ascii: "("): return elements(until: ")")
        case UInt8(ascii: "["): return elements(until: "]")
        case UInt8(ascii: "\""): return string().map { .string($0) }
        default: return scalar() ? .null : nil
        }
    }

    private mutating func elements(until end: Unicode.Scalar) -> JSONValue? {
        position += 1
        var elements: [JSONValue] = []
        while true {
            skip()
            if take(end) { return .array(elements) }
            guard let element = value() else { return nil }
            elements.append(element)
            skip()
            if !take(",") {
                skip()
                guard take(end) else { return nil }
                return .array(elements)
            }
        }
    }

    /// One string, of all that stand side by side.
    private mutating func string() -> String? {
        var text: [UInt8] = []
        repeat {
            position += 1
            while true {
                guard let byte = peek() else { return nil }
                position += 1
                if byte == UInt8(ascii: "\"") { break }
                guard byte == UInt8(ascii: "\\") else {
                    text.append(byte)
                    continue
                }
                guard let escaped = peek() else { return nil }
                position += 1
                switch escaped {
                case UInt8(ascii: "n"): text.append(0x0A)
                case UInt8(ascii: "r"): text.append(0x0D)
                case UInt8(ascii: "t"): text.append(0x09)
                case UInt8(ascii: "f"): text.append(0x0C)
                case UInt8(ascii: "x"):
                    guard position + 2 <= bytes.count,
                        let value = UInt8(String(decoding: bytes[position..<(position + 2)], as: UTF8.self), radix: 16)
                    else { return nil }
                    position += 2
                    text.append(value)
                default: text.append(escaped)
                }
            }
            skip()
        } while peek() == UInt8(ascii: "\"")
        return String(validating: text, as: UTF8.self)
    }

    private mutating func name() -> String? {
        let start = position
        while let byte = peek(), Self.isNameByte(byte) { position += 1 }
        return position > start ? String(decoding: bytes[start..<position], as: UTF8.self) : nil
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "*"):
            true
        default: false
        }
    }

    /// A number or truth value, whose value matters to nobody here.
    private mutating func scalar() -> Bool {
        let start = position
        while let byte = peek(), Self.isNameByte(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "+") {
            position += 1
        }
        return position > start
    }

    /// Passes over white space and comments.
    private mutating func skip() {
        while let byte = peek() {
            switch byte {
            case 0x09...0x0D, 0x20: position += 1
            case UInt8(ascii: "#"): skipLine()
            case UInt8(ascii: "/") where follows("/"): skipLine()
            case UInt8(ascii: "/") where follows("*"):
                position += 2
                while position < bytes.count, !(bytes[position] == UInt8(ascii: "*") && follows("/")) { position += 1 }
                position = min(position + 2, bytes.count)
            default: return
            }
        }
    }

    private mutating func skipLine() {
        while let byte = peek(), byte != 0x0A { position += 1 }
    }

    private func follows(_ scalar: Unicode.Scalar) -> Bool {
        position + 1 < bytes.count && bytes[position + 1] == UInt8(ascii: scalar)
    }

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: scalar) else { return false }
        position += 1
        return true
    }
}
