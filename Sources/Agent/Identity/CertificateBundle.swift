import SwiftASN1

/// Reads the certificates out of what EST answers: a certs-only CMS SignedData (RFC 7030, section 4.1.3).
public enum CertificateBundle {
    /// Why a bundle can not be read.
    public struct Unreadable: Error {}

    /// The certificates as DER, in the order of the bundle.
    public static func certificates(inSignedData der: [UInt8]) throws -> [[UInt8]] {
        let content = try sequence(try DER.parse(der))
        guard content.count == 2, case .constructed(let explicit) = content[1].content,
            let inner = explicit.first(where: { _ in true })
        else { throw Unreadable() }
        let certificates = ASN1Identifier(tagWithNumber: 0, tagClass: .contextSpecific)
        guard let field = try sequence(inner).first(where: { $0.identifier == certificates }),
            case .constructed(let nodes) = field.content
        else { throw Unreadable() }
        return nodes.map { Array($0.encodedBytes) }
    }

    private static func sequence(_ node: ASN1Node) throws -> [ASN1Node] {
        guard node.identifier == .sequence, case .constructed(let nodes) = node.content else { throw Unreadable() }
        return Array(nodes)
    }
}
