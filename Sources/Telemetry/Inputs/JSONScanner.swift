/// Walks JSON text (RFC 8259) in place: the formats ask for what they expect, and nothing is built.
///
/// Strings come back as the bytes of the payload itself; only one with escapes is copied, into a block that lives as
/// long as the scanner. Strings are not checked to be UTF-8 here: who keeps one checks it.
struct JSONScanner: ~Copyable {
    let bytes: UnsafeBufferPointer<UInt8>
    /// The next byte to read.
    var position: Int
    /// One past the last byte to read.
    private let end: Int
    private let depthLimit: Int
    private var blocks: [UnsafeMutablePointer<UInt8>] = []

    init(_ bytes: UnsafeBufferPointer<UInt8>, from position: Int = 0, depthLimit: Int) {
        self.bytes = bytes
        self.position = position
        end = bytes.count
        self.depthLimit = depthLimit
    }

    deinit {
        for block in blocks { block.deallocate() }
    }

    /// The next byte that is not white space, which stays unread.
    @inline(__always)
    mutating func peek() throws(InputFault) -> UInt8 {
        while position < end {
            let byte = bytes[position]
            switch byte {
            case 0x20, 0x0A, 0x0D, 0x09: position &+= 1
            default: return byte
            }
        }
        throw InputFault(.truncated, at: end)
    }

    /// Reads `byte` when it is the next that is not white space.
    @inline(__always)
    mutating func take(_ byte: UInt8) throws(InputFault) -> Bool {
        guard try peek() == byte else { return false }
        position &+= 1
        return true
    }

    /// Reads `byte`, which must be the next that is not white space.
    @inline(__always)
    mutating func expect(_ byte: UInt8) throws(InputFault) {
        guard try take(byte) else { throw InputFault(.notJSON, at: position) }
    }

    /// Makes sure that nothing but white space is left.
    mutating func expectEnd() throws(InputFault) {
        while position < end {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: throw InputFault(.trailingBytes, at: position)
            }
        }
    }

    /// Whether another member or element follows; reads the comma or the closing `close`.
    @inline(__always)
    mutating func more(until close: UInt8) throws(InputFault) -> Bool {
        let byte = try peek()
        guard byte == UInt8(ascii: ",") || byte == close else { throw InputFault(.notJSON, at: position) }
        position &+= 1
        return byte != close
    }

    /// Reads a member's name and its colon.
    @inline(__always)
    mutating func key() throws(InputFault) -> UnsafeBufferPointer<UInt8> {
        let key = try string()
        try expect(UInt8(ascii: ":"))
        return key
    }

    /// Reads a string and returns its content.
    @inline(__always)
    mutating func string() throws(InputFault) -> UnsafeBufferPointer<UInt8> {
        guard try take(UInt8(ascii: "\"")) else { throw InputFault(.notJSON, at: position) }
        let start = position
        while position < end {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let content = slice(start, position)
                position &+= 1
                return content
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            guard byte >= 0x20 else { throw InputFault(.badString, at: position) }
            position &+= 1
        }
        throw InputFault(.truncated, at: end)
    }

    @inline(__always)
    private func slice(_ start: Int, _ stop: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: bytes[start..<stop])
    }

    /// Finishes a string in which an escape was found: a first pass finds its end, so that the block is large enough.
    private mutating func escapedString(from start: Int) throws(InputFault) -> UnsafeBufferPointer<UInt8> {
        var stop = position
        while true {
            guard stop < end else { throw InputFault(.truncated, at: end) }
            let byte = bytes[stop]
            if byte == UInt8(ascii: "\"") { break }
            guard byte >= 0x20 else { throw InputFault(.badString, at: stop) }
            stop += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        // An escape is never shorter than what it stands for, so the raw length is enough.
        let block = UnsafeMutablePointer<UInt8>.allocate(capacity: stop - start)
        blocks.append(block)
        var count = 0
        var index = start
        while index < stop {
            guard bytes[index] == UInt8(ascii: "\\") else {
                block[count] = bytes[index]
                count += 1
                index += 1
                continue
            }
            let scalar = try escape(at: &index, before: stop)
            guard let units = UTF8.encode(scalar) else { throw InputFault(.badString, at: index) }
            for unit in units {
                block[count] = unit
                count += 1
            }
        }
        position = stop + 1
        return UnsafeBufferPointer(start: block, count: count)
    }

    /// Reads one escape, a surrogate pair as one.
    private func escape(at index: inout Int, before stop: Int) throws(InputFault) -> Unicode.Scalar {
        let start = index
        guard index + 1 < stop else { throw InputFault(.badString, at: start) }
        let letter = bytes[index + 1]
        index += 2
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw InputFault(.badString, at: start)
        }
        guard let first = hex(at: &index, before: stop) else { throw InputFault(.badString, at: start) }
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, index + 1 < stop, bytes[index] == UInt8(ascii: "\\"),
            bytes[index + 1] == UInt8(ascii: "u")
        else { throw InputFault(.badString, at: start) }
        index += 2
        guard let second = hex(at: &index, before: stop), (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw InputFault(.badString, at: start) }
        return scalar
    }

    private func hex(at index: inout Int, before stop: Int) -> UInt32? {
        guard index + 4 <= stop else { return nil }
        var value: UInt32 = 0
        for _ in 0..<4 {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(byte - 48)
            case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
                value = value << 4 | (UInt32(byte | 0x20) - 87)
            default: return nil
            }
            index += 1
        }
        return value
    }

    /// Reads a number.
    @inline(__always)
    mutating func number() throws(InputFault) -> DecimalNumber {
        let start = try peek() == UInt8(ascii: "N") ? try notFinite() : position
        do throws(NumberFault) {
            return try DecimalNumber.scan(bytes, from: &position)
        } catch {
            if error == .notANumber, position == end { throw InputFault(.truncated, at: end) }
            if error == .notANumber, position < end, bytes[position] == UInt8(ascii: "I") { _ = try notFinite() }
            throw InputFault(number: error, at: start)
        }
    }

    /// JSON has no NaN and no infinity, but some libraries write them; their senders deserve the true reason.
    private func notFinite() throws(InputFault) -> Int {
        for word in ["NaN", "Infinity"] where bytes[position...].starts(with: word.utf8) {
            throw InputFault(.notFinite, at: position)
        }
        throw InputFault(.notANumber, at: position)
    }

    /// Reads `true` or `false`.
    mutating func boolean() throws(InputFault) -> Bool {
        let isTrue = try peek() == UInt8(ascii: "t")
        try literal(isTrue ? "true" : "false")
        return isTrue
    }

    /// Reads exactly `word`.
    mutating func literal(_ word: StaticString) throws(InputFault) {
        _ = try peek()
        for index in 0..<word.utf8CodeUnitCount {
            guard position + index < end else { throw InputFault(.truncated, at: end) }
            guard bytes[position + index] == word.utf8Start[index] else { throw InputFault(.notJSON, at: position) }
        }
        position += word.utf8CodeUnitCount
    }

    /// Reads one value of any kind and returns its text as it stands.
    mutating func skip() throws(InputFault) -> UnsafeBufferPointer<UInt8> {
        _ = try peek()
        let start = position
        try skip(depth: 0)
        return slice(start, position)
    }

    private mutating func skip(depth: Int) throws(InputFault) {
        switch try peek() {
        case UInt8(ascii: "{"):
            guard depth < depthLimit else { throw InputFault(.tooDeep, at: position) }
            position += 1
            if try take(UInt8(ascii: "}")) { return }
            repeat {
                _ = try key()
                try skip(depth: depth + 1)
            } while try more(until: UInt8(ascii: "}"))
        case UInt8(ascii: "["):
            guard depth < depthLimit else { throw InputFault(.tooDeep, at: position) }
            position += 1
            if try take(UInt8(ascii: "]")) { return }
            repeat { try skip(depth: depth + 1) } while try more(until: UInt8(ascii: "]"))
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "N"), UInt8(ascii: "I"):
            _ = try number()
        default: throw InputFault(.notJSON, at: position)
        }
    }
}
