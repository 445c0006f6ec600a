import SwiftASN1

/// Writes a certs-only CMS message (RFC 5652, section 5; RFC 8951, section 4): a SignedData that signs nothing and
/// only carries certificates, as EST answers with.
enum CertsOnly {
    /// The message with these certificates (DER) in this order.
    ///
    /// The certificates are a SET OF, which DER sorts; but CMS asks for BER, and clients show or use them in the order
    /// in which they come. So they stay in the given order, as other EST servers keep them.
    static func encode(_ certificates: [[UInt8]]) throws -> [UInt8] {
        var coder = DER.Serializer()
        try coder.appendConstructedNode(identifier: .sequence) { message in
            try message.serialize(signedData)
            try message.appendConstructedNode(identifier: context(0)) { content in
                try content.appendConstructedNode(identifier: .sequence) { signedData in
                    try signedData.serialize(1)
                    signedData.appendConstructedNode(identifier: .set) { _ in }
                    try signedData.appendConstructedNode(identifier: .sequence) { encapsulated in
                        try encapsulated.serialize(data)
                    }
                    signedData.appendConstructedNode(identifier: context(0)) { set in
                        for certificate in certificates { set.serializeRawBytes(certificate) }
                    }
                    signedData.appendConstructedNode(identifier: .set) { _ in }
                }
            }
        }
        return coder.serializedBytes
    }

    private static let data: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 7, 1]
    private static let signedData: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 7, 2]

    private static func context(_ number: UInt) -> ASN1Identifier {
        ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific)
    }
}
