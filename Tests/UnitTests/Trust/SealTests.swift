import Base
import Crypto
import Storage
import Testing

@testable import Trust

@Suite("seals")
struct SealTests {
    let key = SymmetricKey(data: Array(repeating: 7, count: 32))
    let tenant = TenantID(high: 1, low: 2)

    @Test("what was sealed opens again, the empty value too", arguments: [0, 1, 15, 16, 17, 4096])
    func roundTrip(count: Int) throws {
        let plaintext = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let sealed = try Envelope.seal(plaintext, with: key, version: 3, authenticating: [1, 2])
        #expect(sealed.count == count + 33)
        #expect(Envelope.version(of: sealed) == 3)
        #expect(Envelope.open(sealed, with: key, authenticating: [1, 2]) == plaintext)
    }

    @Test("the same value sealed twice looks different")
    func fresh() throws {
        let first = try Envelope.seal([1, 2, 3], with: key, version: 1, authenticating: [])
        let second = try Envelope.seal([1, 2, 3], with: key, version: 1, authenticating: [])
        #expect(first != second)
    }

    @Test("a changed byte, another place, another key or a truncation does not open")
    func tampered() throws {
        let sealed = try Envelope.seal([1, 2, 3], with: key, version: 1, authenticating: [9])
        for index in sealed.indices where !(1...4).contains(index) {
            var changed = sealed
            changed[index] ^= 1
            #expect(Envelope.open(changed, with: key, authenticating: [9]) == nil)
        }
        for length in 0..<sealed.count {
            #expect(Envelope.open(Array(sealed.prefix(length)), with: key, authenticating: [9]) == nil)
        }
        #expect(Envelope.open(sealed, with: key, authenticating: [8]) == nil)
        #expect(Envelope.open(sealed, with: SymmetricKey(size: .bits256), authenticating: [9]) == nil)
    }

    @Test("envelopes sort by key version, so that SQL finds the old ones")
    func order() throws {
        let versions: [UInt32] = [1, 2, 255, 256, 65_536, .max - 1]
        let sealed = try versions.map { try Envelope.seal([], with: key, version: $0, authenticating: []) }
        for (index, version) in versions.enumerated() {
            let bound = Envelope.prefix(ofVersion: version)
            let older = sealed.filter { $0.lexicographicallyPrecedes(bound) }
            #expect(older.count == index)
        }
    }

    @Test("places that differ in any part are never spelt the same")
    func places() {
        let base = Place(tenant: tenant, table: "t", row: ["a"], column: "c")
        let others = [
            Place(tenant: TenantID(high: 1, low: 3), table: "t", row: ["a"], column: "c"),
            Place(tenant: tenant, table: "ta", row: [""], column: "c"),
            Place(tenant: tenant, table: "t", row: ["b"], column: "c"),
            Place(tenant: tenant, table: "t", row: ["a"], column: "d"),
            Place(tenant: tenant, table: "t", row: [[UInt8(ascii: "a")]], column: "c"),
            Place(tenant: tenant, table: "t", row: ["a", "c"], column: ""),
            Place(tenant: tenant, table: "t", row: ["a", SQLValue.null], column: "c"),
            Place(tenant: tenant, table: "t", row: [1], column: "c"),
            Place(tenant: tenant, table: "t", row: [1.0], column: "c"),
        ]
        let spelt = ([base] + others).map { $0.associatedData(version: 1) } + [base.associatedData(version: 2)]
        #expect(Set(spelt).count == spelt.count)
    }

    @Test("each column's key is its own")
    func derived() {
        #expect(key.derived(for: "a").bytes != key.derived(for: "b").bytes)
        #expect(key.derived(for: "a").bytes == key.derived(for: "a").bytes)
    }

    @Test("the root keys open with the seal key that wrapped them and no other")
    func rootKeys() throws {
        let seal = SealKey.random()
        let keys = try RootKeys.first().addingVersion()
        let file = try keys.wrapped(by: seal)
        #expect(RootKeys.sealIdentifier(of: file) == seal.identifier)
        let opened = try #require(RootKeys(file, unwrappedBy: seal))
        #expect(opened.current == 2)
        #expect(opened.versions.mapValues(\.bytes) == keys.versions.mapValues(\.bytes))
        #expect(RootKeys(file, unwrappedBy: .random()) == nil)
        for index in file.indices {
            var changed = file
            changed[index] ^= 1
            #expect(RootKeys(changed, unwrappedBy: seal) == nil)
        }
        for length in 0..<file.count { #expect(RootKeys(Array(file.prefix(length)), unwrappedBy: seal) == nil) }
    }
}
