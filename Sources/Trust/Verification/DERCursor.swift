/// Bytes that are not the DER they claim to be.
struct MalformedDER: Error {}

/// Walks DER without building a tree: one position in one buffer, every length checked before it is used.
///
/// A handshake reads a dozen fields of one certificate, so nodes, object identifiers and dates as values would cost
/// more than the signature saves. Only the forms that DER allows are accepted: definite lengths in their shortest
/// spelling and tags below 31.
struct DERCursor {
    private let bytes: [UInt8]
    private(set) var position: Int
    private let end: Int

    /// One element: its tag, its content, and its whole encoding.
    struct Element {
        let tag: UInt8
        let content: Range<Int>
        let whole: Range<Int>
    }

    init(_ bytes: [UInt8]) {
        self.init(bytes, 0..<bytes.count)
    }

    /// A cursor over `range`, which came from an element of the same bytes.
    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = min(range.upperBound, bytes.count)
    }

    var isAtEnd: Bool { position >= end }

    /// The tag of the next element, or nil at the end.
    var peekedTag: UInt8? { position < end ? bytes[position] : nil }

    /// The next element, whatever its tag.
    mutating func next() throws(MalformedDER) -> Element {
        let start = position
        let tag = try byte()
        guard tag & 0x1F != 0x1F else { throw MalformedDER() }
        let length = try self.length()
        guard length <= end - position else { throw MalformedDER() }
        let content = position..<position + length
        position = content.upperBound
        return Element(tag: tag, content: content, whole: start..<position)
    }

    /// The next element, which must have this tag.
    mutating func next(_ tag: UInt8) throws(MalformedDER) -> Element {
        let element = try next()
        guard element.tag == tag else { throw MalformedDER() }
        return element
    }

    /// A cursor inside the next element, which must have this tag.
    mutating func enter(_ tag: UInt8) throws(MalformedDER) -> DERCursor {
        DERCursor(bytes, try next(tag).content)
    }

    /// Throws unless everything was read.
    func expectEnd() throws(MalformedDER) {
        guard isAtEnd else { throw MalformedDER() }
    }

    private mutating func byte() throws(MalformedDER) -> UInt8 {
        guard position < end else { throw MalformedDER() }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func length() throws(MalformedDER) -> Int {
        let first = try byte()
        if first < 0x80 { return Int(first) }
        // Two bytes of length reach 64 KiB, more than any certificate that is looked at.
        switch first {
        case 0x81:
            let value = Int(try byte())
            guard value >= 0x80 else { throw MalformedDER() }
            return value
        case 0x82:
            let high = Int(try byte())
            let value = high << 8 | Int(try byte())
            guard value >= 0x100 else { throw MalformedDER() }
            return value
        default:
            throw MalformedDER()
        }
    }
}

/// The tags that certificates use.
enum DERTag {
    static let boolean: UInt8 = 0x01
    static let integer: UInt8 = 0x02
    static let bitString: UInt8 = 0x03
    static let octetString: UInt8 = 0x04
    static let objectIdentifier: UInt8 = 0x06
    static let utcTime: UInt8 = 0x17
    static let generalizedTime: UInt8 = 0x18
    static let sequence: UInt8 = 0x30
    static let set: UInt8 = 0x31

    static func context(_ number: UInt8) -> UInt8 { 0x80 | number }
    static func constructedContext(_ number: UInt8) -> UInt8 { 0xA0 | number }
}
