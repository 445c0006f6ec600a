import HTTPTypes
import SignIn

/// The cookie that holds a session's secret and nothing else.
///
/// The prefix makes the browser refuse it unless it is secure, bound to this host and good for every path. Cookies know
/// no ports, so the platform's staff have one of another name: a sign-in on one listener would else end the other's.
struct SessionCookie {
    let name: String
    private static let traits = "Path=/; Secure; HttpOnly; SameSite=Strict"

    /// The cookie of a listener of this realm.
    init(_ realm: Realm) { name = realm == .platform ? "__Host-tidegate-platform" : "__Host-tidegate" }

    /// The secret that a request brings; nil when there is none, or more than one that differ.
    func secret(in headers: HTTPFields) -> String? {
        Self.value(of: name, in: headers).flatMap { (16...256).contains($0.utf8.count) ? $0 : nil }
    }

    /// What a cookie of this name holds; nil when there is none, or more than one that differ.
    static func value(of name: String, in headers: HTTPFields) -> String? {
        var found: Set<String> = []
        for field in headers[values: .cookie] {
            // By bytes: another application's cookie may not take the separator behind it into a character of its own.
            for part in field.utf8.split(separator: UInt8(ascii: ";")) {
                let pair = part.drop { $0 == UInt8(ascii: " ") }.split(separator: UInt8(ascii: "="), maxSplits: 1)
                if pair.count == 2, pair[0].elementsEqual(name.utf8) { found.insert(String(Substring(pair[1]))) }
            }
        }
        // Two cookies of one name mean that somebody planted one.
        return found.count == 1 ? found.first : nil
    }

    /// The header's value that hands out a secret.
    func setting(_ secret: String) -> String { "\(name)=\(secret); \(Self.traits)" }

    /// The header's value that takes it away.
    var clearing: String { "\(name)=; \(Self.traits); Max-Age=0" }
}
