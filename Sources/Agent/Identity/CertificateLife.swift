public import FoundationEssentials
import SwiftASN1
import X509

/// From when to when a certificate counts.
public struct CertificateLife: Sendable, Hashable {
    /// The first moment.
    public let begins: Date
    /// The last moment.
    public let ends: Date

    /// The life of a certificate that is given as DER.
    public init(of certificate: [UInt8]) throws {
        let certificate = try Certificate(derEncoded: certificate)
        begins = certificate.notValidBefore
        ends = certificate.notValidAfter
    }

    /// When a device renews: at two thirds, so that a server may be away for a while.
    public var renewal: Date { begins.addingTimeInterval(ends.timeIntervalSince(begins) * 2 / 3) }
}
