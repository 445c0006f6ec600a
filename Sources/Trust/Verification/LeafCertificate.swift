import Base

/// The fields of a presented certificate that decide about it, read straight from its DER (RFC 5280, section 4.1).
struct LeafCertificate {
    /// The bytes that the ranges point into.
    let der: [UInt8]
    /// What the issuer signed.
    private(set) var signedPart: Range<Int> = 0..<0
    /// The signature's bytes, without the count of unused bits.
    private(set) var signature: Range<Int> = 0..<0
    /// True when both places name ecdsa-with-SHA256, the only algorithm our issuing CAs sign with.
    private(set) var isSignedWithECDSA = false
    /// The issuer's name.
    private(set) var issuer: Range<Int> = 0..<0
    /// The subject's name.
    private(set) var subject: Range<Int> = 0..<0
    /// The first moment at which the certificate is valid.
    private(set) var notBefore = Timestamp(microseconds: 0)
    /// The last moment at which the certificate is valid.
    private(set) var notAfter = Timestamp(microseconds: 0)
    /// The issuer's key identifier.
    private(set) var authorityKey: KeyIdentifier?
    /// True when the basic constraints say that this is a CA.
    private(set) var isCA = false
    /// False when a key usage extension leaves out digitalSignature.
    private(set) var maySign = true
    /// True when the extended key usage lists clientAuth.
    private(set) var isForClients = false
    /// How many subject alternative names there are, of any type.
    private(set) var subjectNameCount = 0
    /// The content of the last subject alternative name that is a URI.
    private(set) var uri: Range<Int>?
    /// True when an extension that must be understood is not.
    private(set) var hasUnknownCriticalExtension = false

    init(_ der: [UInt8]) throws(MalformedDER) {
        self.der = der
        var outside = DERCursor(der)
        var certificate = try outside.enter(DERTag.sequence)
        try outside.expectEnd()
        let signedPart = try certificate.next(DERTag.sequence)
        let algorithm = try certificate.next(DERTag.sequence)
        let signature = try certificate.next(DERTag.bitString)
        try certificate.expectEnd()
        guard signature.content.count > 1, der[signature.content.lowerBound] == 0 else { throw MalformedDER() }
        self.signedPart = signedPart.whole
        self.signature = signature.content.dropFirst()
        try readSignedPart(signedPart.content, outerAlgorithm: der[algorithm.whole])
    }

    private mutating func readSignedPart(
        _ range: Range<Int>, outerAlgorithm: ArraySlice<UInt8>
    ) throws(MalformedDER) {
        var fields = DERCursor(der, range)
        var version = try fields.enter(DERTag.constructedContext(0))
        let number = try version.next(DERTag.integer)
        try version.expectEnd()
        // Version 3 is spelt 2; only it has extensions, and a certificate without them says nothing about its use.
        guard der[number.content].elementsEqual([2]) else { throw MalformedDER() }
        _ = try fields.next(DERTag.integer)
        let algorithm = try fields.next(DERTag.sequence)
        guard der[algorithm.whole] == outerAlgorithm else { throw MalformedDER() }
        isSignedWithECDSA = outerAlgorithm.elementsEqual(Self.ecdsaWithSHA256)
        issuer = try fields.next(DERTag.sequence).whole
        var validity = try fields.enter(DERTag.sequence)
        notBefore = try time(try validity.next())
        notAfter = try time(try validity.next())
        try validity.expectEnd()
        subject = try fields.next(DERTag.sequence).whole
        _ = try fields.next(DERTag.sequence)
        // Unique identifiers ([1], [2]) are forbidden by RFC 5280 and land here as something unexpected.
        var wrapper = try fields.enter(DERTag.constructedContext(3))
        try fields.expectEnd()
        var extensions = try wrapper.enter(DERTag.sequence)
        try wrapper.expectEnd()
        var seen: [ArraySlice<UInt8>] = []
        while !extensions.isAtEnd {
            var one = try extensions.enter(DERTag.sequence)
            let name = der[try one.next(DERTag.objectIdentifier).content]
            guard seen.count < Limits.certificateExtensions, !seen.contains(name) else { throw MalformedDER() }
            seen.append(name)
            try readExtension(&one, named: name)
        }
    }

    private mutating func readExtension(
        _ fields: inout DERCursor, named name: ArraySlice<UInt8>
    ) throws(MalformedDER) {
        var isCritical = false
        if fields.peekedTag == DERTag.boolean {
            let flag = try fields.next(DERTag.boolean)
            // DER leaves the default out, so that the only value written is true.
            guard der[flag.content].elementsEqual([0xFF]) else { throw MalformedDER() }
            isCritical = true
        }
        let value = DERCursor(der, try fields.next(DERTag.octetString).content)
        try fields.expectEnd()
        // 2.5.29.n is spelt 55 1D n.
        guard name.count == 3, name.starts(with: [0x55, 0x1D]), let number = name.last else {
            hasUnknownCriticalExtension = hasUnknownCriticalExtension || isCritical
            return
        }
        switch number {
        case 14: break
        case 15: try readKeyUsage(value)
        case 17: try readSubjectNames(value)
        case 19: try readBasicConstraints(value)
        case 35: try readAuthorityKey(value)
        case 37: try readExtendedKeyUsage(value)
        default: hasUnknownCriticalExtension = hasUnknownCriticalExtension || isCritical
        }
    }

    private mutating func readKeyUsage(_ value: DERCursor) throws(MalformedDER) {
        var value = value
        let bits = der[try value.next(DERTag.bitString).content]
        try value.expectEnd()
        guard let unused = bits.first, unused < 8 else { throw MalformedDER() }
        maySign = (bits.dropFirst().first ?? 0) & 0x80 != 0
    }

    private mutating func readSubjectNames(_ value: DERCursor) throws(MalformedDER) {
        var value = value
        var names = try value.enter(DERTag.sequence)
        try value.expectEnd()
        while !names.isAtEnd {
            let name = try names.next()
            subjectNameCount += 1
            if name.tag == DERTag.context(6) { uri = name.content }
        }
    }

    private mutating func readBasicConstraints(_ value: DERCursor) throws(MalformedDER) {
        var value = value
        var fields = try value.enter(DERTag.sequence)
        try value.expectEnd()
        if fields.peekedTag == DERTag.boolean {
            let flag = try fields.next(DERTag.boolean)
            // Any spelling of true counts: the safe way to be wrong here is to see a CA.
            isCA = der[flag.content].contains { $0 != 0 }
        }
        if fields.peekedTag == DERTag.integer { _ = try fields.next(DERTag.integer) }
        try fields.expectEnd()
    }

    private mutating func readAuthorityKey(_ value: DERCursor) throws(MalformedDER) {
        var value = value
        var fields = try value.enter(DERTag.sequence)
        try value.expectEnd()
        guard fields.peekedTag == DERTag.context(0) else { return }
        authorityKey = KeyIdentifier(der[try fields.next().content])
    }

    private mutating func readExtendedKeyUsage(_ value: DERCursor) throws(MalformedDER) {
        var value = value
        var usages = try value.enter(DERTag.sequence)
        try value.expectEnd()
        var count = 0
        while !usages.isAtEnd {
            let usage = der[try usages.next(DERTag.objectIdentifier).content]
            count += 1
            guard count <= Limits.extendedKeyUsages else { throw MalformedDER() }
            if usage.elementsEqual(Self.clientAuth) { isForClients = true }
        }
    }

    /// UTCTime or GeneralizedTime in the one spelling that RFC 5280, section 4.1.2.5, allows.
    private func time(_ element: DERCursor.Element) throws(MalformedDER) -> Timestamp {
        var digits = der[element.content]
        guard digits.popLast() == UInt8(ascii: "Z") else { throw MalformedDER() }
        var text: [UInt8] = []
        text.reserveCapacity(20)
        switch element.tag {
        case DERTag.utcTime where digits.count == 12:
            text += (digits.first ?? 0) < UInt8(ascii: "5") ? "20".utf8 : "19".utf8
            text += digits.prefix(2)
            digits = digits.dropFirst(2)
        case DERTag.generalizedTime where digits.count == 14:
            text += digits.prefix(4)
            digits = digits.dropFirst(4)
        default: throw MalformedDER()
        }
        for separator in "--T::".utf8 {
            text.append(separator)
            text += digits.prefix(2)
            digits = digits.dropFirst(2)
        }
        text.append(UInt8(ascii: "Z"))
        guard let time = Timestamp(rfc3339: String(decoding: text, as: UTF8.self)) else { throw MalformedDER() }
        return time
    }

    // 1.2.840.10045.4.3.2, whole AlgorithmIdentifier: the parameters are absent (RFC 5758, section 3.2).
    private static let ecdsaWithSHA256: [UInt8] = [
        0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02,
    ]
    // 1.3.6.1.5.5.7.3.2
    private static let clientAuth: [UInt8] = [0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02]
}
