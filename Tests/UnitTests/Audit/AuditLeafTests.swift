import Base
import Testing

@testable import Audit

@Suite struct AuditLeafTests {
    static let entry = AuditEntry(
        AuditCode("device.registered", "A device was registered."), tenant: TenantID(high: 0, low: 7),
        domain: DomainID(high: 0, low: 8),
        actor: Actor(
            kind: .user, id: "u1", name: "Ada", credential: "c1", address: "192.0.2.1", home: TenantID(high: 0, low: 9)),
        object: AuditObject(kind: "device", id: "d1"), time: nil, details: ["name": "meter-1"])
    static let time = Timestamp(microseconds: 1_700_000_000_000_001)

    static func leaf(sealed: [UInt8]? = [1, 2, 3]) -> AuditLeaf {
        var leaf = AuditLeaf(entry, id: AuditEntryID(high: 1, low: 2), time: time)
        leaf.sealed = sealed
        return leaf
    }

    @Test("the bytes of version 1 never change")
    func bytes() {
        #expect(
            String(decoding: Self.leaf().bytes, as: UTF8.self)
                == """
                {"actor":{"credential":"c1","home":"00000000000000000000000000000009","id":"u1","kind":"user"},\
                "code":"device.registered","domain":"00000000000000000000000000000008",\
                "id":"00000000000000010000000000000002","object":{"id":"d1","kind":"device"},"outcome":"success",\
                "sealed":"AQID","tenant":"00000000000000000000000000000007","time":"2023-11-14T22:13:20.000001Z",\
                "version":1}
                """)
    }

    @Test("no personal detail is in the bytes")
    func noPersonalDetail() {
        let text = String(decoding: Self.leaf().bytes, as: UTF8.self)
        for secret in ["Ada", "192.0.2.1", "meter-1"] { #expect(!text.contains(secret)) }
    }

    @Test("a leaf is read as it was written", arguments: [nil, [1, 2, 3]] as [[UInt8]?])
    func parsing(sealed: [UInt8]?) {
        let leaf = Self.leaf(sealed: sealed)
        #expect(AuditLeaf(parsing: leaf.bytes) == leaf)
    }

    @Test(
        "another spelling of a leaf is refused",
        arguments: [
            ("\"version\":1", "\"version\":2"), ("\"version\":1", "\"version\": 1"), ("\"AQID\"", "\"AQID=\""),
            ("\"outcome\"", "\"extra\":1,\"outcome\""), ("\"success\"", "\"perhaps\""), ("20.000001Z", "20.0000010Z"),
        ])
    func otherSpelling(old: String, new: String) {
        let text = String(decoding: Self.leaf().bytes, as: UTF8.self).replacing(old, with: new)
        #expect(AuditLeaf(parsing: Array(text.utf8)) == nil)
    }

    @Test("the personal part is read as it was written, and a part of the server has none")
    func personalPart() {
        let part = PersonalPart(Self.entry)
        #expect(PersonalPart(parsing: part.bytes) == part)
        #expect(!part.isEmpty)
        var system = Self.entry
        system.actor = .system("retention")
        system.details = [:]
        #expect(PersonalPart(system).isEmpty)
    }

    @Test("no two codes are the same, and each has its sentence")
    func codes() {
        #expect(Set(AuditCode.audit.map(\.text)).count == AuditCode.audit.count)
        for code in AuditCode.audit { #expect(code.meaning.hasSuffix(".")) }
    }
}
