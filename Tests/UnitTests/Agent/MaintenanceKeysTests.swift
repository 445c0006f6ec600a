import Base
import Crypto
import Testing

@testable import Agent

/// Which keys a device takes, once it knows some.
@Suite("The agent's maintenance keys")
struct MaintenanceKeysTests {
    private typealias Key = Curve25519.Signing.PrivateKey

    private static func entry(_ kid: String, _ key: Key) -> JSONValue {
        [
            "kty": "OKP", "crv": "Ed25519", "kid": .string(kid),
            "x": .string(Array(key.publicKey.rawRepresentation).base64URL),
        ]
    }

    private static func voucher(
        _ kid: String, _ key: Key, for entries: [JSONValue], type: String = "tidegate-keys+jws"
    ) throws -> JSONValue {
        let head: JSONValue = ["alg": "EdDSA", "kid": .string(kid), "typ": .string(type)]
        let payload: JSONValue = ["keys": .array(entries)]
        let text = [head, payload].map { Array($0.canonical.utf8).base64URL }.joined(separator: ".")
        return .string(text + "." + Array(try key.signature(for: Array(text.utf8))).base64URL)
    }

    private static func set(_ entries: [JSONValue], _ vouchers: [JSONValue] = []) -> [UInt8] {
        Array(JSONValue.object(["keys": .array(entries), "vouchers": .array(vouchers)]).canonical.utf8)
    }

    private static let (first, second, third, liar) = (Key(), Key(), Key(), Key())

    private static func known() throws -> MaintenanceKeys {
        try #require(MaintenanceKeys().successor(in: set([entry("k1", first)])))
    }

    @Test("the first set counts as it comes, and comes back from the disk as it was")
    func firstUse() async throws {
        let known = try Self.known()
        #expect(known.knows("k1") && !known.isEmpty)
        let kept = try #require(MaintenanceKeys(parsing: Array(known.json.canonical.utf8)))
        #expect(kept.json == known.json)
        #expect(MaintenanceKeys().successor(in: Self.set([])) == nil)
        #expect(MaintenanceKeys().successor(in: Array("{}".utf8)) == nil)
    }

    @Test("a set of others' keys changes nothing, whatever names it uses")
    func liars() throws {
        let known = try Self.known()
        #expect(known.successor(in: Self.set([Self.entry("k2", Self.liar)])) == nil)
        // Beside a known one the others do not count, and a known name keeps its key.
        let beside = try #require(
            known.successor(in: Self.set([Self.entry("k1", Self.liar), Self.entry("k2", Self.liar)])))
        #expect(beside.json == known.json)
        let fresh = Self.entry("k2", Self.liar)
        for voucher in [
            try Self.voucher("k2", Self.liar, for: [fresh]), try Self.voucher("k1", Self.liar, for: [fresh]),
            try Self.voucher("k1", Self.first, for: [fresh], type: "tidegate-task+jws"), "nonsense", 7,
        ] {
            #expect(known.successor(in: Self.set([fresh], [voucher])) == nil)
        }
    }

    @Test(
        "a key that a known one vouches for counts, also over several changes, and what is not shown any more does not")
    func rotated() throws {
        let known = try Self.known()
        let (second, third) = (Self.entry("k2", Self.second), Self.entry("k3", Self.third))
        let vouchers = [
            try Self.voucher("k1", Self.first, for: [second]), try Self.voucher("k2", Self.second, for: [third]),
        ]
        let once = try #require(
            known.successor(in: Self.set([second, Self.entry("k1", Self.first)], [vouchers[0]])))
        #expect(once.knows("k1") && once.knows("k2"))
        let twice = try #require(known.successor(in: Self.set([third], vouchers)))
        #expect(twice.knows("k3") && !twice.knows("k1") && !twice.knows("k2"))
        #expect(known.successor(in: Self.set([third], [vouchers[1]])) == nil)
    }
}
