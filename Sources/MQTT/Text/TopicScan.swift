/// What one pass over the bytes of a topic name or filter finds.
struct TopicScan {
    var quality = TextQuality.clean
    var levels = 1
    var hasWildcard = false

    init(of bytes: UnsafeRawBufferPointer) {
        var isPlain = true
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "/"): levels += 1
            case UInt8(ascii: "+"), UInt8(ascii: "#"): hasWildcard = true
            case 0x20...0x7E: break
            default: isPlain = false
            }
        }
        if !isPlain { quality = TextQuality(of: bytes) }
    }

    /// Refuses what neither a name nor a filter may be (section 4.7.3), with `code` where the text is well formed but
    /// not accepted here.
    func check(length: Int, code: ReasonCode, limits: borrowing Limits) throws(ProtocolViolation) {
        switch quality {
        case .clean: break
        case .unusual: throw ProtocolViolation(code, "a topic holds a control character or a non-character")
        case .illFormed: throw .malformed("a topic is not UTF-8 or holds U+0000")
        }
        guard length <= limits.topicLength else { throw ProtocolViolation(code, "a topic is too long") }
        guard levels <= limits.topicLevels else { throw ProtocolViolation(code, "a topic has too many levels") }
    }
}
