extension StringProtocol {
    /// The text as it may stand in HTML and XML, between tags and in quoted attributes (HTML, section 13.3; XML 1.0,
    /// section 2.4).
    ///
    /// It goes by bytes. To Swift a quotation mark and the accent behind it are one character that is no quotation mark;
    /// to a browser it ends the attribute all the same.
    public var markupEscaped: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(utf8.count)
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "&"): bytes += "&amp;".utf8
            case UInt8(ascii: "<"): bytes += "&lt;".utf8
            case UInt8(ascii: ">"): bytes += "&gt;".utf8
            case UInt8(ascii: "\""): bytes += "&quot;".utf8
            case UInt8(ascii: "'"): bytes += "&#39;".utf8
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
