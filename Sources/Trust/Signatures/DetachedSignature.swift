/// A CMS message that signs content which is not in it (RFC 5652, section 5), as `openssl cms -sign` makes it.
///
/// The certificates library checks CMS too, but not what OpenSSL writes for RSA keys: the key's identifier in the place
/// of the algorithm's. Only DER is read, in one pass, and nothing longer than ``DERCursor`` takes.
struct DetachedSignature: Sendable {
    /// One signature in the message.
    struct Signer: Sendable {
        let digest: SignatureDigest
        let scheme: SignatureKey.Scheme
        let signature: [UInt8]
        /// The signed attributes as they were signed, and the content's digest that they name; nil when the content
        /// itself was signed.
        let attributes: (signed: [UInt8], digest: [UInt8])?
    }

    /// The signatures of kinds that are known here.
    let signers: [Signer]
    /// The certificates that came along (DER).
    let certificates: [[UInt8]]

    /// Signatures, or certificates, that a message may bring.
    private static let most = 8

    /// The message in these bytes.
    init(_ bytes: [UInt8]) throws(MalformedDER) {
        var outer = DERCursor(bytes)
        var message = try outer.enter(DERTag.sequence)
        try outer.expectEnd()
        guard try message.identifier(in: bytes) == OID.signedData else { throw MalformedDER() }
        var explicit = try message.enter(DERTag.constructedContext(0))
        var data = try explicit.enter(DERTag.sequence)
        _ = try data.next(DERTag.integer)
        _ = try data.next(DERTag.set)
        var content = try data.enter(DERTag.sequence)
        let type = try content.identifier(in: bytes)
        // What is signed lies beside the signature; another content in it would leave open what was meant.
        guard content.isAtEnd else { throw MalformedDER() }
        var certificates: [[UInt8]] = []
        if data.peekedTag == DERTag.constructedContext(0) {
            var set = try data.enter(DERTag.constructedContext(0))
            while !set.isAtEnd {
                let element = try set.next()
                guard element.tag == DERTag.sequence else { continue }
                guard certificates.count < Self.most else { throw MalformedDER() }
                certificates.append(Array(bytes[element.whole]))
            }
        }
        if data.peekedTag == DERTag.constructedContext(1) { _ = try data.next() }
        var set = try data.enter(DERTag.set)
        try data.expectEnd()
        var signers: [Signer] = []
        while !set.isAtEnd {
            var signer = try set.enter(DERTag.sequence)
            guard signers.count < Self.most else { throw MalformedDER() }
            if let read = try Self.signer(&signer, type, bytes) { signers.append(read) }
        }
        self.signers = signers
        self.certificates = certificates
    }

    /// One SignerInfo; nil when its algorithms are none that are taken here.
    private static func signer(
        _ signer: inout DERCursor, _ type: [UInt8], _ bytes: [UInt8]
    ) throws(MalformedDER) -> Signer? {
        _ = try signer.next(DERTag.integer)
        // Who signed is found by trying the keys that are trusted; a name proves nothing.
        _ = try signer.next()
        let digest = try Self.digest(signer.algorithm(in: bytes))
        var attributes: (signed: [UInt8], digest: [UInt8])?
        if signer.peekedTag == DERTag.constructedContext(0) {
            let element = try signer.next()
            // The attributes are signed as the SET OF that they are, not with the tag that they have here.
            let signed = [DERTag.set] + bytes[element.whole].dropFirst()
            attributes = (signed, try Self.messageDigest(DERCursor(bytes, element.content), type, bytes))
        }
        let scheme = try Self.scheme(signer.algorithm(in: bytes))
        let signature = Array(bytes[try signer.next(DERTag.octetString).content])
        guard let digest, let scheme, scheme.digest == nil || scheme.digest == digest else { return nil }
        return Signer(digest: digest, scheme: scheme.scheme, signature: signature, attributes: attributes)
    }

    /// The content's digest among the attributes, whose content type must be the message's; each is there once.
    private static func messageDigest(
        _ attributes: DERCursor, _ type: [UInt8], _ bytes: [UInt8]
    ) throws(MalformedDER) -> [UInt8] {
        var attributes = attributes
        var (digest, signedType): ([UInt8]?, [UInt8]?)
        while !attributes.isAtEnd {
            var attribute = try attributes.enter(DERTag.sequence)
            let name = try attribute.identifier(in: bytes)
            var values = try attribute.enter(DERTag.set)
            if name == OID.messageDigest {
                guard digest == nil else { throw MalformedDER() }
                digest = Array(bytes[try values.next(DERTag.octetString).content])
                try values.expectEnd()
            } else if name == OID.contentType {
                guard signedType == nil else { throw MalformedDER() }
                signedType = try values.identifier(in: bytes)
                try values.expectEnd()
            }
        }
        guard let digest, signedType == type else { throw MalformedDER() }
        return digest
    }

    private static func digest(_ identifier: [UInt8]) -> SignatureDigest? {
        switch identifier {
        case OID.sha256: .sha256
        case OID.sha384: .sha384
        case OID.sha512: .sha512
        default: nil
        }
    }

    private static func scheme(
        _ identifier: [UInt8]
    ) -> (scheme: SignatureKey.Scheme, digest: SignatureDigest?)? {
        switch identifier {
        case OID.rsa: (.rsaPKCS1, nil)
        case OID.rsaSHA256: (.rsaPKCS1, .sha256)
        case OID.rsaSHA384: (.rsaPKCS1, .sha384)
        case OID.rsaSHA512: (.rsaPKCS1, .sha512)
        case OID.rsaPSS: (.rsaPSS, nil)
        case OID.ecdsaSHA256: (.ecdsa, .sha256)
        case OID.ecdsaSHA384: (.ecdsa, .sha384)
        case OID.ecdsaSHA512: (.ecdsa, .sha512)
        case OID.ed25519: (.ed25519, nil)
        default: nil
        }
    }

    /// Object identifiers as DER writes their content.
    private enum OID {
        private static let pkcs: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01]
        private static let nist: [UInt8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02]
        static let signedData = pkcs + [0x07, 0x02]
        static let contentType = pkcs + [0x09, 0x03]
        static let messageDigest = pkcs + [0x09, 0x04]
        static let rsa = pkcs + [0x01, 0x01]
        static let rsaPSS = pkcs + [0x01, 0x0A]
        static let rsaSHA256 = pkcs + [0x01, 0x0B]
        static let rsaSHA384 = pkcs + [0x01, 0x0C]
        static let rsaSHA512 = pkcs + [0x01, 0x0D]
        static let ecdsaSHA256: [UInt8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02]
        static let ecdsaSHA384: [UInt8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03]
        static let ecdsaSHA512: [UInt8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x04]
        static let ed25519: [UInt8] = [0x2B, 0x65, 0x70]
        static let sha256 = nist + [0x01]
        static let sha384 = nist + [0x02]
        static let sha512 = nist + [0x03]
    }
}

extension DERCursor {
    /// The content of the next element, an object identifier.
    fileprivate mutating func identifier(in bytes: [UInt8]) throws(MalformedDER) -> [UInt8] {
        Array(bytes[try next(DERTag.objectIdentifier).content])
    }

    /// The object identifier of the next element, an algorithm with or without parameters.
    fileprivate mutating func algorithm(in bytes: [UInt8]) throws(MalformedDER) -> [UInt8] {
        var inner = try enter(DERTag.sequence)
        return try inner.identifier(in: bytes)
    }
}
