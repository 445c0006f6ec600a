import Base
import Testing

@testable import Trust

@Suite("Maintenance keys")
struct MaintenanceSignerTests {
    /// RFC 8037, appendix A.1: the private half "d".
    private static func example() throws -> MaintenanceSigner {
        let bytes = try #require([UInt8](base64URL: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"))
        return try #require(MaintenanceSigner(privateBytes: bytes))
    }

    @Test("a key has the name and the public half that RFC 8037 gives it")
    func name() throws {
        let signer = try Self.example()
        #expect(signer.id == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
        let published = MaintenanceSigner.publicKey(signer.publicBytes)
        #expect(published["x"]?.string == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
        #expect(published["kid"]?.string == signer.id && published["d"] == nil)
        #expect(MaintenanceSigner(privateBytes: [1, 2, 3]) == nil)
        #expect(MaintenanceSigner().id != MaintenanceSigner().id)
    }

    @Test("what it signs is taken by the key that is published, and by no other, and not after a change")
    func signature() throws {
        let signer = MaintenanceSigner()
        let text = try signer.sign(["id": 11, "tenant": "acme"], type: "tidegate-task+jws")
        let parts = text.split(separator: ".").map(String.init)
        #expect(parts.count == 3)
        let header = try JSONValue(parsing: try #require([UInt8](base64URL: parts[0])))
        #expect(header == ["alg": "EdDSA", "kid": .string(signer.id), "typ": "tidegate-task+jws"])
        #expect(try JSONValue(parsing: try #require([UInt8](base64URL: parts[1]))) == ["id": 11, "tenant": "acme"])
        let signature = try #require([UInt8](base64URL: parts[2]))
        let key = try #require(JSONWebKey(MaintenanceSigner.publicKey(signer.publicBytes)))
        let other = try #require(JSONWebKey(MaintenanceSigner.publicKey(MaintenanceSigner().publicBytes)))
        let message = Array("\(parts[0]).\(parts[1])".utf8)
        #expect(key.isValid(signature, .edDSA, for: message))
        #expect(!other.isValid(signature, .edDSA, for: message))
        #expect(!key.isValid(signature, .edDSA, for: message + [0]))
    }
}
