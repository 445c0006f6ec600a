import Base
import Crypto
import Foundation
import Probes
import Testing

@testable import SignIn

/// An authenticator and the browser before it, which do as they are told: honest unless something below is changed.
struct SoftAuthenticator: Sendable {
    enum Key: Sendable {
        case es256(P256.Signing.PrivateKey)
        case edDSA(Curve25519.Signing.PrivateKey)

        var cose: CBORValue {
            switch self {
            case .es256(let key):
                let point = Array(key.publicKey.rawRepresentation)
                return .map([
                    .init(.integer(1), .integer(2)), .init(.integer(3), .integer(-7)),
                    .init(.integer(-1), .integer(1)), .init(.integer(-2), .bytes(Array(point[..<32]))),
                    .init(.integer(-3), .bytes(Array(point[32...]))),
                ])
            case .edDSA(let key):
                return .map([
                    .init(.integer(1), .integer(1)), .init(.integer(3), .integer(-8)),
                    .init(.integer(-1), .integer(6)),
                    .init(.integer(-2), .bytes(Array(key.publicKey.rawRepresentation))),
                ])
            }
        }

        func sign(_ message: [UInt8]) throws -> [UInt8] {
            switch self {
            case .es256(let key): Array(try key.signature(for: message).derRepresentation)
            case .edDSA(let key): Array(try key.signature(for: message))
            }
        }
    }

    var key = Key.es256(P256.Signing.PrivateKey())
    var id = (0..<32).map { _ in UInt8.random(in: 0...255) }
    var userHandle: [UInt8]?
    var origin = "https://fleet.example.com"
    var relyingParty = "fleet.example.com"
    /// User present and verified.
    var flags: UInt8 = 0x05
    var count: UInt32 = 0
    /// Changes to what the browser says.
    var client: [String: JSONValue] = [:]
    var attestation = CBORValue.map([])
    var format = "none"
    /// Changes what is signed, after the authenticator has made it.
    var change: @Sendable ([UInt8]) -> [UInt8] = { $0 }
    /// Changes the signature.
    var changeSignature: @Sendable ([UInt8]) -> [UInt8] = { $0 }

    func clientData(_ type: String, _ options: JSONValue) -> [UInt8] {
        var members: [String: JSONValue] = [
            "type": .string(type), "challenge": options["challenge"] ?? .null, "origin": .string(origin),
            "crossOrigin": false,
        ]
        members.merge(client) { $1 }
        return Array(JSONValue.object(members).canonical.utf8)
    }

    private func data(_ flags: UInt8, _ rest: [UInt8]) -> [UInt8] {
        let count = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: self.count >> $0) }
        return change(Array(SHA256.hash(data: Array(relyingParty.utf8))) + [flags] + count + rest)
    }

    /// What the browser gives for a registration.
    mutating func create(_ options: JSONValue) throws -> JSONValue {
        userHandle = [UInt8](base64URL: try #require(options["user"]?["id"]?.string))
        let attested =
            [UInt8](repeating: 0, count: 16) + [UInt8(id.count >> 8), UInt8(id.count & 255)] + id + key.cose.encoded
        let object = CBORValue.map([
            .init(.text("fmt"), .text(format)), .init(.text("attStmt"), attestation),
            .init(.text("authData"), .bytes(data(flags | 0x40, attested))),
        ])
        return [
            "id": .string(id.base64URL), "rawId": .string(id.base64URL), "type": "public-key",
            "clientExtensionResults": [:],
            "response": [
                "clientDataJSON": .string(clientData("webauthn.create", options).base64URL),
                "attestationObject": .string(object.encoded.base64URL), "transports": ["internal", "made-up"],
            ],
        ]
    }

    /// What the browser gives for an assertion.
    func get(_ options: JSONValue) throws -> JSONValue {
        let client = clientData("webauthn.get", options)
        let data = data(flags, [])
        let signature = try key.sign(data + Array(SHA256.hash(data: client)))
        return [
            "id": .string(id.base64URL), "rawId": .string(id.base64URL), "type": "public-key",
            "response": [
                "clientDataJSON": .string(client.base64URL), "authenticatorData": .string(data.base64URL),
                "signature": .string(changeSignature(signature).base64URL),
                "userHandle": userHandle.map { .string($0.base64URL) } ?? .null,
            ],
        ]
    }
}

extension FactorFixture {
    /// A passkey that is set up.
    func passkey(_ account: Account, _ authenticator: SoftAuthenticator = SoftAuthenticator()) async throws
        -> (authenticator: SoftAuthenticator, factor: Factor)
    {
        var authenticator = authenticator
        let subject = FactorSubject.signedIn(try await session(account))
        let answer = try authenticator.create(try await factors.beginPasskey(for: subject))
        let made = try await factors.finishPasskey(PasskeyAnswer(answer), named: "Key", for: subject)
        return (authenticator, made.factor)
    }
}
