import Testing

@testable import Southbound

@Suite("Authorization of device requests")
struct DeviceAuthorizationTests {
    @Test(
        "Basic carries a user and a password that may hold colons",
        arguments: [
            ("Basic bWV0ZXItMTpzZWNyZXQ=", "meter-1", "secret"), ("basic bWV0ZXItMTpzZWNyZXQ", "meter-1", "secret"),
            ("BASIC   bWV0ZXItMTphOmI6Yw==", "meter-1", "a:b:c"), ("Basic Og==", "", ""),
        ])
    func basic(value: String, user: String, password: String) {
        #expect(Authorization(value) == .basic(user: user, password: password))
    }

    @Test("a bearer token is taken as it stands")
    func bearer() { #expect(Authorization("Bearer 0123abc") == .bearer("0123abc")) }

    @Test("no field is no credential")
    func none() { #expect(Authorization(nil) == .none) }

    @Test(
        "everything else is unusable",
        arguments: [
            "", "Basic", "Basic ", "Basic bWV0ZXI=", "Basic b$", "Basic =", "Basic bWV0ZXItMTpz=ZWNyZXQ", "Basic /zr/",
            "Digest username=\"x\"", "Bearer", "Basic " + String(repeating: "QUFB", count: 400),
            "Bearer " + String(repeating: "a", count: 600),
        ])
    func unusable(value: String) { #expect(Authorization(value) == .unusable) }

    @Test(
        "base64 refuses what another encoder would not have written",
        arguments: ["QQ=", "QQ===", "QR==", "QUJ=", "Q", "QUI=QUI="])
    func strictBase64(text: String) { #expect(Base64.decode(text.utf8, limit: 100) == nil) }

    @Test("base64 keeps to its limit", arguments: 0..<9)
    func base64Limit(count: Int) {
        let text = ["", "AA", "AAA", "AAAA", "AAAAAA", "AAAAAAA", "AAAAAAAA", "AAAAAAAAAA", "AAAAAAAAAAA"][count]
        #expect(Base64.decode(text.utf8, limit: 5) == (count <= 5 ? [UInt8](repeating: 0, count: count) : nil))
    }
}
