import FoundationEssentials

/// Text for a header field of a mail: as it is when it is plain ASCII, else as encoded words (RFC 2047, base64).
enum EncodedWords {
    /// The longest line that a header field's text may have.
    private static let line = 76
    /// The longest text of one word: its frame and 60 characters of base64 come to 72 of the 75 that are allowed.
    private static let wordBytes = 45

    /// The text in lines of at most 76 characters behind a field name of `name` characters; folded with CRLF and a space.
    static func field(_ text: String, behind name: Int) -> String {
        let isPlain = text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
        // Text that looks like an encoded word must be encoded, or it would be decoded.
        if isPlain, !text.contains("=?"), name + 2 + text.utf8.count <= line, !text.hasPrefix(" "), !text.hasSuffix(" ")
        {
            return text
        }
        return encoded(text, behind: name)
    }

    /// The text as encoded words, whatever it holds.
    static func encoded(_ text: String, behind name: Int) -> String {
        var words: [String] = []
        var bytes: [UInt8] = []
        // A word never ends within a character: each must decode by itself.
        for character in text.unicodeScalars {
            let encoded = Array(String(character).utf8)
            if bytes.count + encoded.count > wordBytes - (words.isEmpty ? name : 0) {
                words.append(word(bytes))
                bytes = []
            }
            bytes += encoded
        }
        if !bytes.isEmpty { words.append(word(bytes)) }
        return words.joined(separator: "\r\n ")
    }

    private static func word(_ bytes: [UInt8]) -> String { "=?utf-8?B?\(Data(bytes).base64EncodedString())?=" }
}

/// The body of a mail as quoted-printable (RFC 2045, section 6.7): lines of at most 76 characters that end with CRLF.
enum QuotedPrintable {
    private static let line = 76

    /// The encoded text, which ends with a line break; any of CRLF, LF and CR in `text` ends a line.
    static func encoded(_ text: String) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count * 5 / 4)
        for line in lines(of: text) {
            encode(line, into: &result)
            result += [0x0D, 0x0A]
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func lines(of text: String) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        var previous: UInt8 = 0
        for byte in text.utf8 {
            if byte == 0x0D || (byte == 0x0A && previous != 0x0D) {
                lines.append(line)
                line = []
            } else if byte != 0x0A {
                line.append(byte)
            }
            previous = byte
        }
        if !line.isEmpty || lines.isEmpty { lines.append(line) }
        return lines
    }

    private static func encode(_ line: [UInt8], into result: inout [UInt8]) {
        let digits = Array("0123456789ABCDEF".utf8)
        var column = 0
        for (index, byte) in line.enumerated() {
            let isLast = index == line.count - 1
            let isSpace = byte == 0x20 || byte == 0x09
            // A dot at the beginning of a line, and "From ", mean something on the way; encoded they do not.
            let startsLine = column == 0 && (byte == UInt8(ascii: ".") || byte == UInt8(ascii: "F"))
            let isPlain = ((0x21...0x7E).contains(byte) && byte != 0x3D) || (isSpace && !isLast)
            let piece =
                isPlain && !startsLine
                ? [byte] : [UInt8(ascii: "="), digits[Int(byte >> 4)], digits[Int(byte & 0x0F)]]
            if column + piece.count > Self.line - 1 {
                result += [UInt8(ascii: "="), 0x0D, 0x0A]
                column = 0
            }
            result += piece
            column += piece.count
        }
    }
}
