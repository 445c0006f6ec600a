import Base
import Testing

@testable import Trust

@Suite("names in certificates")
struct CertificateNameTests {
    @Test(
        "a deployment's name is lower-case labels that can not be read as an address",
        arguments: [
            ("localhost", true), ("fleet.example.com", true), ("a-b.c1", true), ("", false), (".", false),
            ("a..b", false), ("A.example.com", false), ("-a.example.com", false), ("a_b", false), ("10.0.0.1", false),
            ("fleet.example.com.", false), (String(repeating: "a.", count: 94) + "b", true),
            (String(repeating: "a.", count: 95) + "b", false),
        ])
    func deployment(text: String, valid: Bool) { #expect((DeploymentName(text) != nil) == valid) }

    @Test("a fingerprint is the SHA-256 of the bytes and reads back from bytes and text")
    func fingerprint() {
        let abc = Fingerprint(ofCertificate: Array("abc".utf8))
        #expect(abc.text == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(Fingerprint(bytes: abc.bytes) == abc)
        #expect(Fingerprint(text: abc.text) == abc)
        #expect(Fingerprint(ofCertificate: [0x61, 0x62, 0x63][...]) == abc)
        #expect(Fingerprint(bytes: [1, 2, 3]) == nil)
        #expect(Fingerprint(text: String(repeating: "g", count: 64)) == nil)
    }

    @Test("server names are host names, wild cards and addresses, each once")
    func serverNames() throws {
        let names = try ServerNames(["Fleet.example.com", "fleet.example.com", "*.example.com", "10.0.0.1", "::1"])
        #expect(names.texts == ["fleet.example.com", "*.example.com", "10.0.0.1", "::1"])
        #expect(names.commonName == "fleet.example.com")
    }

    @Test("what no certificate can carry is refused", arguments: [[], ["a b"], ["https://x"], ["*"], ["x.*.y"], [""]])
    func wrongServerNames(texts: [String]) {
        #expect(throws: Refusal.self) { try ServerNames(texts) }
    }

    @Test("a certificate should be replaced at two thirds of its life")
    func renewal() {
        let start = Timestamp(microseconds: 0)
        #expect(Validity.renewalDue(notBefore: start, notAfter: start + .seconds(90)) == start + .seconds(60))
    }
}
