import Testing

@testable import SignIn

@Suite("what people type goes into filters as itself")
struct LDAPFilterTests {
    @Test(
        "every character with a meaning is escaped",
        arguments: [
            ("ann", "ann"), ("ann@example.com", "ann@example.com"), ("*", "\\2a"), ("a)(uid=*", "a\\29\\28uid\\3d\\2a"),
            ("\\", "\\5c"), ("a\u{0}b", "a\\00b"), ("ü", "\\c3\\bc"), ("&|!", "\\26\\7c\\21"), ("{dn}", "\\7bdn\\7d"),
        ])
    func escaping(typed: String, escaped: String) {
        #expect(LDAPFilter.filled("(&(x=1)(uid={user}))", ["user": typed]) == "(&(x=1)(uid=\(escaped)))")
    }

    @Test("a template's other braces stay, and values are not read again")
    func templates() {
        #expect(LDAPFilter.filled("(a={other})(b={user})", ["user": "{user}"]) == "(a={other})(b=\\7buser\\7d)")
        #expect(LDAPFilter.isTemplate("(uid={user})", needing: "user"))
        for text in ["", "uid={user}", "(uid={user}", "(uid={user}))(", "(uid=x)", ")(uid={user})("] {
            #expect(!LDAPFilter.isTemplate(text, needing: "user"), "\(text)")
        }
    }

    @Test(
        "a server is reached by TLS only",
        arguments: [
            ("ldaps://ldap.example", "ldap.example", 636, true), ("ldap://10.0.0.1:1389/", "10.0.0.1", 1389, false),
            ("ldaps://[2001:db8::1]:637", "2001:db8::1", 637, true), ("ldap://[::1]", "::1", 389, false),
        ] as [(String, String, UInt16, Bool)])
    func addresses(text: String, host: String, port: UInt16, isTLS: Bool) throws {
        let address = try #require(LDAPAddress(text))
        #expect(address.host == host && address.port == port && address.isTLS == isTLS)
    }

    @Test(
        "what is no such address is refused",
        arguments: [
            "", "ldap.example", "http://ldap.example", "ldapi:///", "ldaps://", "ldaps://a:0", "ldaps://a:99999",
            "ldaps://a b", "ldaps://a/dc=x", "ldaps://u@a", "ldaps://a,b", "ldaps://a\0",
        ])
    func noAddresses(text: String) { #expect(LDAPAddress(text) == nil) }
}
