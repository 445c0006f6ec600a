import Base
import Crypto
import Testing

@testable import Agent

/// What a device obeys, and what it does not.
@Suite("Signed envelopes at the agent")
struct SignedEnvelopeTests {
    private static let key = Curve25519.Signing.PrivateKey()
    private static let stranger = Curve25519.Signing.PrivateKey()
    private static let now = Timestamp(microseconds: 1_800_000_000_000_000)
    private static let addressee = SignedEnvelope.Addressee(tenant: "acme", device: "d1")

    private static var keys: MaintenanceKeys {
        let set =
            #"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"\#(Array(key.publicKey.rawRepresentation).base64URL)"}]}"#
        return MaintenanceKeys(parsing: Array(set.utf8)) ?? MaintenanceKeys()
    }

    private static func sign(
        _ changes: [String: JSONValue] = [:], header: [String: JSONValue] = [:],
        by key: Curve25519.Signing.PrivateKey = key
    ) throws -> String {
        var head: [String: JSONValue] = ["alg": "EdDSA", "kid": "k1", "typ": "tidegate-task+jws"]
        var payload: [String: JSONValue] = [
            "tenant": "acme", "device": "d1", "sequence": 100, "expires": .integer(now.seconds + 60), "id": 11,
            "type": "reboot", "input": [:],
        ]
        head.merge(header) { $1 }
        payload.merge(changes) { $1 }
        let text = [head, payload].map { Array(JSONValue.object($0).canonical.utf8).base64URL }.joined(separator: ".")
        return text + "." + Array(try key.signature(for: Array(text.utf8))).base64URL
    }

    private static func refusal(_ text: String, after last: Int64 = 0) -> EnvelopeRefusal? {
        do throws(EnvelopeRefusal) {
            _ = try SignedEnvelope(opening: text, .task, for: addressee, keys: keys, after: last, now: now)
            return nil
        } catch {
            return error
        }
    }

    @Test("one that is signed for this device is opened")
    func good() throws {
        let opened = try SignedEnvelope(
            opening: try Self.sign(), .task, for: Self.addressee, keys: Self.keys, after: 99, now: Self.now)
        #expect(opened.sequence == 100)
        #expect(opened.payload["type"] == "reboot")
    }

    @Test(
        "one for somebody else, out of date, of another kind or without its members is refused",
        arguments: [
            (["tenant": "rival"], [:], EnvelopeRefusal.otherTenant), (["device": "d2"], [:], .otherDevice),
            (["expires": .integer(now.seconds)], [:], .expired), (["expires": "soon"], [:], .malformed),
            (["sequence": .null], [:], .malformed), ([:], ["alg": "none"], .malformed),
            ([:], ["alg": "HS256"], .malformed), ([:], ["typ": "tidegate-desired+jws"], .malformed),
            ([:], ["crit": ["exp"]], .malformed), ([:], ["kid": "k2"], .unknownKey), ([:], ["kid": .null], .malformed),
        ] as [([String: JSONValue], [String: JSONValue], EnvelopeRefusal)])
    func refused(_ payload: [String: JSONValue], _ header: [String: JSONValue], reason: EnvelopeRefusal) throws {
        #expect(Self.refusal(try Self.sign(payload, header: header)) == reason)
    }

    @Test("one that came before, or an older one, is refused")
    func replayed() throws {
        #expect(Self.refusal(try Self.sign(), after: 100) == .replayed)
        #expect(Self.refusal(try Self.sign(), after: 101) == .replayed)
        #expect(Self.refusal(try Self.sign(), after: 99) == nil)
    }

    @Test("another's signature, a changed text and half a text are refused, whichever byte it is")
    func forged() throws {
        #expect(Self.refusal(try Self.sign(by: Self.stranger)) == .forged)
        let text = try Self.sign()
        for (place, character) in zip(text.indices, text) where character != "." {
            var changed = text
            changed.replaceSubrange(place...place, with: character == "A" ? "B" : "A")
            #expect(Self.refusal(changed) != nil)
        }
        for length in stride(from: 0, to: text.count, by: 7) {
            #expect(Self.refusal(String(text.prefix(length))) != nil)
        }
    }

    // MARK: - The journal's part

    private static func judge(_ envelope: JSONValue, _ contents: inout Journal.Contents) -> TaskIntake {
        TaskIntake.judge(envelope, for: addressee, keys: keys, now: now, &contents)
    }

    private static func envelope(_ changes: [String: JSONValue] = [:]) throws -> JSONValue {
        ["id": 11, "signed": .string(try sign(changes))]
    }

    @Test("a task is taken once, told of again when it comes again, and ended when that is wanted")
    func intake() throws {
        var contents = Journal.Contents()
        guard case .taken(let task) = Self.judge(try Self.envelope(), &contents) else {
            Issue.record("not taken")
            return
        }
        #expect(task.id == 11 && task.type == "reboot" && contents.taskSequence == 100)
        #expect(Self.judge(try Self.envelope(), &contents) == .refused(.replayed, 11))
        #expect(contents.refusals == ["replayed": 1])
        #expect(Self.judge(try Self.envelope(["sequence": 101]), &contents) == .known(11, cancels: false))
        #expect(contents.tasks.count == 1)
        let cancel = try Self.envelope(["sequence": 102, "cancel": true])
        #expect(Self.judge(cancel, &contents) == .known(11, cancels: true))
        #expect(contents.tasks.first?.outcome?.word == .cancelled)
        contents.tasks = []
        #expect(Self.judge(try Self.envelope(["sequence": 103, "cancel": true]), &contents) == .absent(11))
    }

    @Test(
        "what is plainly said does not count, and a type is no path",
        arguments: ["../../bin/sh", "", "a b", "a/b", ".hidden", String(repeating: "x", count: 65)])
    func names(type: String) throws {
        var contents = Journal.Contents()
        let envelope: JSONValue = ["id": 11, "type": "wake", "signed": .string(try Self.sign(["type": .string(type)]))]
        #expect(Self.judge(envelope, &contents) == .refused(.malformed, 11))
        #expect(contents.tasks.isEmpty)
    }

    @Test("no more tasks are taken than the journal keeps")
    func bounded() throws {
        var contents = Journal.Contents()
        for number in 0..<Int64(AgentLimits.openTasks + 5) {
            _ = Self.judge(
                try Self.envelope(["id": .integer(11 + number), "sequence": .integer(100 + number)]), &contents)
        }
        #expect(contents.tasks.count == AgentLimits.openTasks)
    }
}
