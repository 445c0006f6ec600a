import Base
import HTTPTypes

/// The cookie of a sign-in that is under way at a provider: what ties it to this browser, and where to go afterwards.
///
/// `SameSite=Lax`, because the provider's answer comes from another site; it is worth nothing but to finish that sign-in,
/// once, within ten minutes.
struct VisitCookie: Sendable, Hashable {
    static let name = "__Host-tidegate-visit"
    private static let traits = "Path=/; Secure; HttpOnly; SameSite=Lax"

    /// What the sign-in is tied to.
    let browser: String
    /// Where to go when it is done; always on this server.
    let next: String

    /// The cookie that a request brings; nil when there is none, more than one that differ, or another thing.
    init?(in headers: HTTPFields) {
        guard let text = SessionCookie.value(of: Self.name, in: headers) else { return nil }
        let parts = text.split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let next = String(percentDecoding: parts[1]) else { return nil }
        browser = String(parts[0])
        self.next = LocalAddress(next).text
    }

    /// The header's value that hands it out.
    static func setting(_ browser: String, next: String) -> String {
        // A long address would make the cookie larger than browsers keep.
        let next = next.utf8.count <= 1000 ? next : "/"
        return "\(name)=\(browser).\(next.percentEncoded); \(traits); Max-Age=600"
    }

    /// The header's value that takes it away.
    static let clearing = "\(name)=; \(traits); Max-Age=0"
}
