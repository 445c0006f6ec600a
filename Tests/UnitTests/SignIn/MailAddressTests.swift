import Testing

@testable import SignIn

@Suite("E-mail addresses")
struct MailAddressTests {
    @Test(
        "an address is kept in small letters",
        arguments: [
            ("ann@example.com", "ann@example.com"), ("Ann.Lee+tide@Example.COM", "ann.lee+tide@example.com"),
            ("root@localhost", "root@localhost"), ("jürgen@müller.example", "jürgen@müller.example"),
        ])
    func kept(text: String, expected: String) { #expect(MailAddress(text)?.text == expected) }

    @Test(
        "what is no address is refused",
        arguments: [
            "", "@", "ann", "ann@", "@example.com", "a@b@c", "ann@exa mple.com", "an n@example.com", "ann@-example.com",
            "ann@example..com", ".ann@example.com", "ann.@example.com", "a..b@example.com",
            "ann@example.com\r\nBcc: x@y.z",
            "ann\u{0}@example.com", "<ann@example.com>", "ann@example.com,bob@example.com",
            String(repeating: "a", count: 65) + "@example.com", "a@" + String(repeating: "b.", count: 130) + "c",
        ])
    func refused(text: String) { #expect(MailAddress(text) == nil) }
}
