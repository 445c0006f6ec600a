import Base
import Crypto
import HTTPTypes
import Hummingbird
import NIOCore

/// Lets only forms in that our own pages sent.
///
/// Three fences behind each other: the session's cookie is not sent from elsewhere (`SameSite=Strict`), the browser says
/// where the request came from, and the form carries a token that only our pages know. Before there is a session there
/// is nothing to bind a token to, so there the first two must do.
enum FormGuard {
    static let foreign = Refusal(
        .forbidden, "form.foreign",
        "This form did not come from a page of this server. Open the page here and send it again.")
    static let stale = Refusal(
        .forbidden, "form.stale", "This form is from an earlier session. Load the page anew and send it again.")

    /// Refuses a request that another site caused.
    static func checkOrigin(_ request: Request) throws(Refusal) {
        let site = request.headers[.secFetchSite]
        if let site, site != "same-origin" { throw foreign }
        if let origin = request.headers[.origin] {
            guard let authority = request.head.authority, origin == "https://" + authority else { throw foreign }
        } else if site == nil {
            throw foreign
        }
    }

    /// Refuses what came without the visitor's token.
    static func checkToken(_ token: String, _ visitor: Visitor) throws(Refusal) {
        let (sent, known) = (Array(token.utf8), Array(visitor.formToken.utf8))
        // Digests of equal length are compared whole, so the time says nothing about how much was right.
        let differ = zip(SHA256.hash(data: sent), SHA256.hash(data: known)).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
        guard !known.isEmpty, differ == 0 else { throw stale }
    }

    /// The fields of a posted form.
    static func read(_ request: Request) async throws -> FormFields {
        let tooLarge = Refusal(
            .tooLarge, "form.tooLarge",
            "The form is larger than \(ConsoleLimits.formBytes >> 20) MB. Send less, or use the API.")
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > ConsoleLimits.formBytes {
            throw tooLarge
        }
        let type = request.headers[.contentType]?.prefix { $0 != ";" && $0 != " " }.lowercased()
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: ConsoleLimits.formBytes)
        } catch is NIOTooManyBytesError {
            throw tooLarge
        }
        guard buffer.readableBytes > 0 else { return FormFields() }
        guard type == "application/x-www-form-urlencoded", let form = FormFields(String(buffer: buffer)) else {
            throw Refusal(.invalid, "form.invalid", "This is not a form of this page.")
        }
        return form
    }
}

extension HTTPField.Name {
    /// The visitor's token with what is no form; no other site can add such a field to a request that it causes.
    static let formToken = HTTPField.Name("Form-Token") ?? .origin
    static let secFetchSite = HTTPField.Name("Sec-Fetch-Site") ?? .origin
    static let referrerPolicy = HTTPField.Name("Referrer-Policy") ?? .origin
    static let permissionsPolicy = HTTPField.Name("Permissions-Policy") ?? .origin
    static let crossOriginOpenerPolicy = HTTPField.Name("Cross-Origin-Opener-Policy") ?? .origin
    static let crossOriginResourcePolicy = HTTPField.Name("Cross-Origin-Resource-Policy") ?? .origin
    static let frameOptions = HTTPField.Name("X-Frame-Options") ?? .origin
}
