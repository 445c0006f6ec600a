import SwiftASN1
import X509

/// Certificates as PEM that somebody gives to be trusted.
public enum CertificateList {
    /// Whether this is one readable certificate or several, and nothing else.
    public static func isReadable(_ text: String) -> Bool {
        guard let documents = try? PEMDocument.parseMultiple(pemString: text), !documents.isEmpty else { return false }
        return documents.allSatisfy { (try? Certificate(pemDocument: $0)) != nil }
    }
}
