import Base
import Testing

@testable import Audit

@Suite struct AuditRefusalsTests {
    static let start = Timestamp(microseconds: 1_000_000)

    @Test("refusals of one source and code become one entry")
    func counted() throws {
        let refusals = Refusals()
        for second in 0..<5 {
            refusals.add(source: "192.0.2.1", code: "token.invalid", tenant: nil, at: Self.start + .seconds(second))
        }
        refusals.add(source: "192.0.2.2", code: "token.invalid", tenant: TenantID(high: 0, low: 9), at: Self.start)
        let entries = refusals.takeSources().sorted { $0.tenant < $1.tenant }
        try #require(entries.count == 2)
        #expect(entries[0].tenant == .platform)
        #expect(entries[0].actor.address == "192.0.2.1")
        #expect(entries[0].object.id == "token.invalid")
        #expect(entries[0].details["times"] == 5)
        #expect(entries[0].details["first"]?.string == Self.start.rfc3339)
        #expect(entries[0].time == Self.start + .seconds(4))
        #expect(entries[1].tenant == TenantID(high: 0, low: 9))
        #expect(refusals.takeSources().isEmpty)
    }

    @Test("a flood from many sources stays bounded and is still counted")
    func bounded() {
        let refusals = Refusals()
        for number in 0..<10_000 {
            refusals.add(source: "source \(number)", code: "token.invalid", tenant: nil, at: Self.start)
        }
        let entries = refusals.takeSources()
        #expect(entries.count == Limits.refusalSources + 1)
        #expect(entries.reduce(0) { $0 + ($1.details["times"]?.integer ?? 0) } == 10_000)
        #expect(entries.contains { $0.actor.address == nil && $0.details["sources"] == "many" })
    }

    @Test("a flood of different denials stays bounded and is still counted")
    func boundedDenials() {
        let refusals = Refusals()
        for number in 0..<3_000 {
            refusals.add(
                denied: AuditEntry(
                    .denied, tenant: .platform, actor: .system("a"),
                    object: AuditObject(kind: "device", id: "\(number)"),
                    details: ["permission": "device.read"]), at: Self.start)
        }
        let entries = refusals.takeDenials()
        #expect(entries.count == Limits.denials + 1)
        #expect(entries.reduce(0) { $0 + ($1.details["times"]?.integer ?? 0) } == 3_000)
        #expect(refusals.takeDenials().isEmpty)
    }
}
