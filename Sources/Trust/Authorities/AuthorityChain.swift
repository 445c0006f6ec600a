public import Base
import SwiftASN1
import X509

/// The CAs above the tenants' issuing CAs: the root and the platform's intermediate, checked against each other once.
public struct AuthorityChain: Sendable {
    let root: Certificate
    let intermediate: Certificate

    /// The root's certificate in PEM.
    public var rootPEM: String { get throws { try [root].pem() } }

    /// The last moment at which both certificates are valid.
    public var notAfter: Timestamp {
        min(Timestamp(root.notValidAfter), Timestamp(intermediate.notValidAfter))
    }

    /// The chain of these two, refused unless the root signed the intermediate and both are valid CAs at `now`.
    init(root: Certificate, intermediate: Certificate, now: Timestamp) throws {
        try Self.check(root, issuer: root, minimumPathLength: 2, now: now, what: "root CA")
        try Self.check(intermediate, issuer: root, minimumPathLength: 1, now: now, what: "intermediate CA")
        self.root = root
        self.intermediate = intermediate
    }

    /// A tenant's issuing CA in DER, refused unless the intermediate signed it, it is valid at `now`, and it is
    /// constrained to exactly `host`.
    func validateIssuing(_ der: [UInt8], host: String, at now: Timestamp) throws -> Certificate {
        guard let certificate = try? Certificate(derEncoded: der) else {
            throw Self.refusal("issuing CA", "it is no certificate")
        }
        try Self.check(certificate, issuer: intermediate, minimumPathLength: 0, now: now, what: "issuing CA")
        let constraint = certificate.extensions[oid: .X509ExtensionID.nameConstraints]
        guard let constraint, constraint.critical, let names = try? NameConstraints(constraint),
            names.permittedSubtrees == [.uniformResourceIdentifier(host)], names.excludedSubtrees.isEmpty
        else { throw Self.refusal("issuing CA", "it is not constrained to \(host)") }
        guard let named = try? certificate.extensions.subjectKeyIdentifier,
            KeyIdentifier(named.keyIdentifier) == KeyIdentifier(of: certificate.publicKey)
        else { throw Self.refusal("issuing CA", "its key identifier is not that of its key") }
        return certificate
    }

    private static func check(
        _ certificate: Certificate, issuer: Certificate, minimumPathLength: Int, now: Timestamp, what: String
    ) throws {
        guard certificate.issuer == issuer.subject,
            issuer.publicKey.isValidSignature(certificate.signature, for: certificate)
        else { throw refusal(what, "its issuer did not sign it") }
        guard case .isCertificateAuthority(let length)? = try? certificate.extensions.basicConstraints,
            (length ?? .max) >= minimumPathLength
        else { throw refusal(what, "its basic constraints do not allow it to be one") }
        guard let usage = try? certificate.extensions.keyUsage, usage.keyCertSign else {
            throw refusal(what, "its key usage does not allow it to sign certificates")
        }
        guard Timestamp(certificate.notValidBefore) <= now, now <= Timestamp(certificate.notValidAfter) else {
            throw refusal(
                what,
                "it is valid from \(Timestamp(certificate.notValidBefore)) to "
                    + "\(Timestamp(certificate.notValidAfter)), and now it is \(now)")
        }
    }

    private static func refusal(_ what: String, _ why: String) -> Refusal {
        Refusal(.unavailable, "trust.chainInvalid", "The \(what) can not be used: \(why).")
    }
}
