import Base
import FoundationEssentials
import SwiftASN1

/// The bodies of Enrolment over Secure Transport (RFC 7030, clarified by RFC 8951), without the HTTP around them.
public enum EST {
    /// The largest request body worth reading.
    public static let bodyBytes = Limits.enrolmentBodyBytes

    /// The body of a `cacerts` or enrolment answer: the certificates (DER) as certs-only CMS in base64 lines.
    public static func body(certificates: [[UInt8]]) throws -> [UInt8] { lines(try CertsOnly.encode(certificates)) }

    /// The body of a `csrattrs` answer (RFC 7030, section 4.5.2): an ECDSA key on P-256, signed with SHA-256.
    public static func attributesBody() throws -> [UInt8] {
        var coder = DER.Serializer()
        try coder.appendConstructedNode(identifier: .sequence) { attributes in
            try attributes.appendConstructedNode(identifier: .sequence) { attribute in
                try attribute.serialize(ecPublicKey)
                try attribute.appendConstructedNode(identifier: .set) { try $0.serialize(p256) }
            }
            try attributes.serialize(ecdsaWithSHA256)
        }
        return lines(coder.serializedBytes)
    }

    /// The request in the body of `simpleenroll` or `simplereenroll`.
    public static func request(body: [UInt8]) throws -> CertificateRequest {
        try CertificateRequest(der: decode(body))
    }

    /// The DER in a request's body.
    ///
    /// Base64 with or without line breaks, as RFC 8951 asks. PEM and bare DER are what people send from scripts, and
    /// both are told apart without doubt: base64 of a SEQUENCE begins with `M`, PEM with `-`, DER with 0x30.
    static func decode(_ body: [UInt8]) throws -> [UInt8] {
        guard body.count <= Limits.enrolmentBodyBytes else {
            throw Refusal(
                .tooLarge, "est.bodyTooLarge", "The body has more than \(Limits.enrolmentBodyBytes) bytes.")
        }
        let text = body.drop { isSpace($0) }
        if text.first == 0x30 { return Array(text) }
        let digits = text.first == UInt8(ascii: "-") ? armoured(text) : text[...]
        guard let digits, !digits.isEmpty, let data = Data(base64Encoded: Data(digits.filter { !isSpace($0) })) else {
            throw Refusal(.invalid, "est.bodyMalformed", "The body is not a certificate request in base64.")
        }
        return Array(data)
    }

    /// What is between the first BEGIN line and the next END line, or nil without either.
    private static func armoured(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard text.starts(with: Array("-----BEGIN ".utf8)),
            let lineEnd = text.firstIndex(where: { $0 == 0x0A || $0 == 0x0D })
        else { return nil }
        let content = text[lineEnd...]
        guard let end = content.firstIndex(of: UInt8(ascii: "-")) else { return nil }
        return content[..<end]
    }

    /// Base64 in lines of 64 characters: some clients stumble over one unbroken line.
    static func lines(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array(Data(bytes).base64EncodedData())
        var lines: [UInt8] = []
        lines.reserveCapacity(digits.count + digits.count / 64 + 1)
        for start in stride(from: 0, to: digits.count, by: 64) {
            lines += digits[start..<min(start + 64, digits.count)]
            lines.append(0x0A)
        }
        return lines
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static let ecPublicKey: ASN1ObjectIdentifier = [1, 2, 840, 10045, 2, 1]
    private static let p256: ASN1ObjectIdentifier = [1, 2, 840, 10045, 3, 1, 7]
    private static let ecdsaWithSHA256: ASN1ObjectIdentifier = [1, 2, 840, 10045, 4, 3, 2]
}
