import Testing

@testable import OAuth

@Suite("what OAuth reads and compares")
struct OAuthFormTests {
    @Test(
        "an answer may go to a plain address, to this machine, or to a program's own scheme",
        arguments: [
            "https://app.example/callback", "https://app.example:8443/cb?tenant=1", "https://app.example",
            "http://127.0.0.1/cb", "http://127.0.0.1:4711/cb", "http://[::1]:80/cb", "com.example.app:/cb",
            "https://[2001:db8::1]/cb",
        ])
    func addresses(text: String) { #expect(RedirectURI(text)?.text == text) }

    @Test(
        "anywhere else it may not",
        arguments: [
            "", "x", "/callback", "//app.example/cb", "http://app.example/cb", "http://localhost/cb",
            "http://127.0.0.1.evil.example/cb", "http://127.0.0.1@evil.example/cb", "https://user@app.example/cb",
            "https://app.example@evil.example/", "https://app.example\\@evil.example/", "https://app.example/cb#part",
            "https:///cb", "https:app.example/cb", "https://app.example:0/cb", "https://app.example:99999/cb",
            "https://app.example:x/cb", "https://app.example: 1/cb", "https://APP.example/cb", "https://*.example/cb",
            "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "app:/cb", "com.example.app:cb",
            "https://app.example/c b", "https://app.example/\r\nSet-Cookie:x", "https://app.example/\u{0}",
            "https://äpp.example/cb", "https://[::1/cb", "https://.example/",
        ])
    func forbidden(text: String) { #expect(RedirectURI(text) == nil) }

    @Test(
        "addresses are compared exactly, but for the port on this machine",
        arguments: [
            ("https://a.example/cb", "https://a.example/cb", true),
            ("https://a.example/cb", "https://a.example/cb/", false),
            ("https://a.example/cb", "https://a.example/cb?x=1", false),
            ("https://a.example/cb", "https://a.example/CB", false),
            ("https://a.example/cb", "https://a.example:443/cb", false),
            ("https://a.example/cb", "https://a.example/../cb", false),
            ("https://a.example/cb", "https://a.example/%63b", false),
            ("https://a.example/", "https://a.example", false),
            ("https://a.example/cb", "https://a.example.evil.example/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:4711/cb", true),
            ("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb", true),
            ("http://127.0.0.1/cb", "http://127.0.0.1:4711/other", false),
            ("http://127.0.0.1/cb", "http://[::1]/cb", false),
            ("http://[::1]/cb", "http://[::1]:9/cb", true), ("http://127.0.0.1/cb", "https://127.0.0.1/cb", false),
        ])
    func comparison(registered: String, asked: String, isAllowed: Bool) throws {
        let (registered, asked) = (try #require(RedirectURI(registered)), try #require(RedirectURI(asked)))
        #expect(registered.allows(asked) == isAllowed)
    }

    @Test("values are added to an address so that they can not change its meaning")
    func adding() throws {
        let plain = try #require(RedirectURI("https://a.example/cb"))
        #expect(plain.adding(["code": "a&b=c#d", "state": nil]) == "https://a.example/cb?code=a%26b%3Dc%23d")
        let query = try #require(RedirectURI("https://a.example/cb?x=1"))
        #expect(query.adding(["code": "ä"]) == "https://a.example/cb?x=1&code=%C3%A4")
    }

    @Test("a form gives its values; an empty one counts as not sent")
    func forms() {
        #expect(FormText.values("a=1&b=x%20y+z&c=&d") == ["a": "1", "b": "x y z"])
        #expect(FormText.values("") == [:])
        #expect(FormText.values("a=%C3%A4") == ["a": "ä"])
    }

    @Test(
        "a form that could be read in two ways is refused",
        arguments: ["a=1&a=2", "a=1&a=", "a=%", "a=%4", "a=%zz", "a=%FF", "a=%00", "a=%0D%0Ab", "a=\u{1}"])
    func badForms(text: String) { #expect(FormText.values(text) == nil) }

    @Test("forms are bounded")
    func bounds() {
        #expect(FormText.values((0..<40).map { "a\($0)=1" }.joined(separator: "&")) == nil)
        #expect(FormText.values("a=" + String(repeating: "x", count: OAuthLimits.formBytes)) == nil)
    }

    @Test("a person's code is read however it is typed, and holds no letter that makes words")
    func userCodes() throws {
        let code = UserCode.make()
        #expect(code.letters.wholeMatch(of: /[BCDFGHJKLMNPQRSTVWXZ]{8}/) != nil)
        #expect(UserCode(typed: code.shown) == code && UserCode(typed: code.letters.lowercased()) == code)
        #expect(UserCode(typed: " " + code.shown.replacing("-", with: " - ")) == code)
        for text in ["", "BCDF", "BCDFGHJA", "BCDFGHJKL", "BCDF-GHJ1", "BCDFGHJÄ", String(repeating: "-", count: 100)] {
            #expect(UserCode(typed: text) == nil, "\(text)")
        }
        #expect(Set((0..<500).map { _ in UserCode.make().letters }).count == 500)
    }
}
