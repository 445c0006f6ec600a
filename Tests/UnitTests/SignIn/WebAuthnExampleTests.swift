import Base
import Foundation
import Testing
import Trust

@testable import SignIn

/// The examples of Web Authentication Level 3, section 16 (https://www.w3.org/TR/webauthn-3/#sctn-test-vectors), in
/// `Tests/Kept/webauthn-examples.json`.
@Suite("WebAuthn's own examples")
struct WebAuthnExampleTests {
    struct Example: Sendable, CustomTestStringConvertible {
        let name: String
        let challenges: [[UInt8]]
        let registration: PasskeyAnswer
        let assertion: PasskeyAnswer
        var testDescription: String { name }
    }

    static let party = RelyingParty(id: "example.org", origins: ["https://example.org"])

    static let examples: [Example] = {
        let file = URL(filePath: #filePath).appending(path: "../../../Kept/webauthn-examples.json").standardized
        guard let data = try? Data(contentsOf: file), case .array(let list)? = try? JSONValue(parsing: [UInt8](data))
        else { return [] }
        return list.compactMap { one in
            func part(_ name: String, _ field: String) -> JSONValue {
                .string(([UInt8](hex: one[name]?[field]?.string ?? "") ?? []).base64URL)
            }
            let id = part("registration", "credential_id")
            func answer(_ name: String, _ response: JSONValue) -> PasskeyAnswer? {
                try? PasskeyAnswer(["type": "public-key", "rawId": id, "id": id, "response": response])
            }
            guard
                let registration = answer(
                    "registration",
                    [
                        "clientDataJSON": part("registration", "clientDataJSON"),
                        "attestationObject": part("registration", "attestationObject"),
                    ]),
                let assertion = answer(
                    "assertion",
                    [
                        "clientDataJSON": part("assertion", "clientDataJSON"),
                        "authenticatorData": part("assertion", "authenticatorData"),
                        "signature": part("assertion", "signature"),
                    ])
            else { return nil }
            let challenges = ["registration", "assertion"].compactMap {
                [UInt8](hex: one[$0]?["challenge"]?.string ?? "")
            }
            return Example(
                name: one["name"]?.string ?? "", challenges: challenges, registration: registration,
                assertion: assertion)
        }
    }()

    /// What is not taken, and why.
    static let refused: [String: PasskeyFault] = [
        "none-es256-crossOrigin": .crossOrigin, "none-es256-topOrigin": .crossOrigin, "packed-es384": .key,
        "packed-es512": .key, "packed-ed448": .key,
    ]

    @Test("there are all of them")
    func all() { #expect(Self.examples.count == 15) }

    @Test(
        "registrations and assertions of the offered algorithms verify, the rest is refused as what it is",
        arguments: examples)
    func verifies(example: Example) throws {
        do throws(PasskeyFault) {
            let (client, _, attested) = try example.registration.registered(at: Self.party)
            #expect(Self.refused[example.name] == nil)
            #expect(client.challenge == example.challenges[0])
            #expect(attested.credential == example.registration.id)
            let (again, data) = try example.assertion.asserted(at: Self.party)
            #expect(again.challenge == example.challenges[1] && data.attested == nil)
            try example.assertion.verify(with: attested.key)
            // Another example's signature is none.
            for other in Self.examples where other.name != example.name {
                #expect(throws: PasskeyFault.self) { try other.assertion.verify(with: attested.key) }
            }
        } catch {
            #expect(Self.refused[example.name] == error)
        }
    }

    @Test("one ceremony's answer is none of the other's", arguments: examples)
    func crossed(example: Example) {
        #expect(throws: PasskeyFault.self) { try example.registration.asserted(at: Self.party) }
        #expect(throws: PasskeyFault.self) { try example.assertion.registered(at: Self.party) }
    }

    @Test(
        "an origin counts exactly as it is written",
        arguments: [
            "http://example.org", "https://example.org/", "https://example.org:443", "https://example.org:8443",
            "https://EXAMPLE.org", "https://www.example.org", "https://example.org.evil.example", "https://example.or",
            "null", "", "https://example.org\u{0}",
        ])
    func origins(origin: String) throws {
        let json: JSONValue = ["type": "webauthn.get", "challenge": "AAAA", "origin": .string(origin)]
        let fault = #expect(throws: PasskeyFault.self) {
            try ClientData(Array(json.canonical.utf8), .assertion, origins: Self.party.origins)
        }
        #expect(fault == .origin)
    }

    @Test(
        "client data of the wrong form is refused",
        arguments: [
            ("", .clientData), ("null", .clientData), ("[]", .clientData), ("{}", .clientData),
            (#"{"type":"webauthn.get","challenge":"AAAA"}"#, .clientData),
            (#"{"type":"webauthn.get","challenge":7,"origin":"https://example.org"}"#, .clientData),
            (
                #"{"type":"webauthn.get","type":"webauthn.get","challenge":"AAAA","origin":"https://example.org"}"#,
                .clientData
            ),
            (#"{"type":"webauthn.create","challenge":"AAAA","origin":"https://example.org"}"#, .ceremony),
            (#"{"type":"payment.get","challenge":"AAAA","origin":"https://example.org"}"#, .ceremony),
            (#"{"type":"webauthn.get","challenge":"AA=","origin":"https://example.org"}"#, .challenge),
            (
                #"{"type":"webauthn.get","challenge":"AAAA","origin":"https://example.org","crossOrigin":true}"#,
                .crossOrigin
            ),
            (
                #"{"type":"webauthn.get","challenge":"AAAA","origin":"https://example.org","crossOrigin":"no"}"#,
                .crossOrigin
            ),
            (
                #"{"type":"webauthn.get","challenge":"AAAA","origin":"https://example.org","topOrigin":"https://example.org"}"#,
                .crossOrigin
            ),
        ] as [(String, PasskeyFault)])
    func forms(text: String, expected: PasskeyFault) {
        let fault = #expect(throws: PasskeyFault.self) {
            try ClientData(Array(text.utf8), .assertion, origins: Self.party.origins)
        }
        #expect(fault == expected)
    }

    @Test("an address becomes the origin that browsers write")
    func places() throws {
        let party = RelyingParty(
            try #require(DeploymentName("fleet.example.com")),
            places: ["https://Fleet.Example.com:443/", "https://fleet.example.com:8443/people", "https://[::1]:8443"])
        #expect(
            party.origins == ["https://fleet.example.com", "https://fleet.example.com:8443", "https://[::1]:8443"])
    }
}
