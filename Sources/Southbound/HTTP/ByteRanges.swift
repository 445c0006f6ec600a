/// The parts of a file that a request wants (RFC 9110, section 14).
enum ByteRanges: Hashable, Sendable {
    /// All of it: there was no such field, or one in a unit that we do not know.
    case whole
    /// These, in their order and without overlap; at least one, and none of them empty.
    case parts([Range<Int64>])
    /// None that the file has.
    case unsatisfiable

    /// What the field `Range` says of a file of `size` bytes.
    ///
    /// A field that can not be read is unsatisfiable, as with hawkBit, whose clients resume by a range and must not get
    /// all of a file from the beginning instead. So are ranges out of order, which only an attacker sends.
    init(_ field: String?, size: Int64) {
        guard let field else {
            self = .whole
            return
        }
        let bytes = field.utf8
        guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")) else {
            self = .unsatisfiable
            return
        }
        guard field[..<equals].trimmed.lowercased() == "bytes" else {
            self = .whole
            return
        }
        let specifications = field[bytes.index(after: equals)...].split(
            separator: ",", maxSplits: Limits.ranges, omittingEmptySubsequences: false)
        guard specifications.count <= Limits.ranges else {
            self = .unsatisfiable
            return
        }
        var parts: [Range<Int64>] = []
        for specification in specifications {
            guard let part = Self.part(specification.trimmed, size) else {
                self = .unsatisfiable
                return
            }
            // One that lies behind the end is left out; the others count.
            guard !part.isEmpty else { continue }
            guard part.lowerBound >= parts.last?.upperBound ?? 0 else {
                self = .unsatisfiable
                return
            }
            parts.append(part)
        }
        self = parts.isEmpty ? .unsatisfiable : .parts(parts)
    }

    /// One range; empty when the file does not reach it, nil when it is none.
    private static func part(_ text: Substring, _ size: Int64) -> Range<Int64>? {
        guard let dash = text.utf8.firstIndex(of: UInt8(ascii: "-")) else { return nil }
        let (first, last) = (text[..<dash], text[text.utf8.index(after: dash)...])
        if first.isEmpty {
            guard let count = number(last) else { return nil }
            return max(size - count, 0)..<size
        }
        guard let start = number(first) else { return nil }
        guard !last.isEmpty else { return min(start, size)..<size }
        guard let end = number(last), end >= start else { return nil }
        return min(start, size)..<(end < size ? end + 1 : size)
    }

    /// Digits only; more than 18 of them are as good as endless.
    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return text.utf8.count <= 18 ? Int64(text) : .max
    }
}

extension Substring {
    /// Without the white space around it that RFC 9110 allows between the parts of a field.
    fileprivate var trimmed: Substring {
        func isSpace(_ character: Character) -> Bool { character == " " || character == "\t" }
        var rest = self.drop(while: isSpace)
        while let last = rest.last, isSpace(last) { rest = rest.dropLast() }
        return rest
    }
}
