import Base
import Storage
import Synchronization
import Testing

@testable import Audit

/// Verification while the server runs, and the proof of one entry.
@Suite struct AuditVerifierTests {
    /// Verifies until there is a result.
    private static func verify(_ world: AuditFixture, _ tenant: TenantID? = nil) async throws -> AuditFinding {
        let steps = Mutex(0)
        let verifier = AuditVerifier(world.log) { _ in steps.withLock { $0 += 1 } }
        try verifier.start(tenant ?? world.tenant, reader: AuditFixture.reader)
        try verifier.start(tenant ?? world.tenant, reader: AuditFixture.reader)
        #expect(verifier.state(of: tenant ?? world.tenant) == .waiting)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await verifier.run() }
            defer { group.cancelAll() }
            while true {
                switch verifier.state(of: tenant ?? world.tenant) {
                case .found(let finding):
                    // What was found can be read a moment before it is told that there is something new.
                    while steps.withLock({ $0 }) == 0 { try await Task.sleep(for: .milliseconds(5)) }
                    return finding
                case .failed(let reason): throw Refusal(.unavailable, "test.failed", reason)
                default: try await Task.sleep(for: .milliseconds(5))
                }
            }
        }
    }

    @Test("an intact log is said to be, with its head, its span and who asked", arguments: TestDatabase.engines)
    func intact(engine: TestDatabase.Engine) async throws {
        try await AuditFixture.with(engine) { world in
            let start = world.time.now
            try await world.fill(0..<700, checkpointEvery: 100)
            let finding = try await Self.verify(world)
            let report = finding.report
            #expect(report.isIntact && report.size == 700 && report.entries == 700 && report.signedSize == 700)
            #expect(report.firstTime == start + .milliseconds(1) && report.lastTime == start + .milliseconds(700))
            #expect(report.root != nil && report.signedTime != nil && finding.reader == AuditFixture.reader)
            let page = try await world.log.page(
                tenant: world.tenant, filter: AuditFilter(codePrefix: "audit.verified"), reader: .system("test"))
            let entry = try #require(page.entries.first)
            #expect(entry.outcome == .success && entry.details["root"]?.string == report.root?.description)
            #expect(try await world.log.lastVerification(of: world.tenant)?.index == entry.index)
        }
    }

    @Test("whatever was done to the database is named, and recorded as a failure", arguments: TestDatabase.engines)
    func damaged(engine: TestDatabase.Engine) async throws {
        try await AuditFixture.with(engine) { world in
            try await world.fill(0..<700, checkpointEvery: 100)
            try await world.tamper(
                "UPDATE audit_entry SET object_id = 'x' WHERE tenant = $1 AND position = $2", Int64(321))
            let finding = try await Self.verify(world)
            #expect(finding.report.damages.map(\.kind) == [.edited] && finding.report.damages.first?.index == 321)
            let entry = try #require(try await world.log.lastVerification(of: world.tenant))
            #expect(entry.outcome == .failed && entry.details["damage"]?.string?.hasPrefix("entry 321") == true)
        }
    }

    @Test(
        "a log put back as a whole is found by the checkpoint file and by the platform's log",
        arguments: TestDatabase.engines)
    func putBack(engine: TestDatabase.Engine) async throws {
        try await AuditFixture.with(engine) { world in
            try await world.fill(0..<100)
            let before = try await world.copy()
            world.time.advance(by: .seconds(120))
            try await world.fill(100..<200)
            try await world.putBack(before)
            let finding = try await Self.verify(world)
            #expect(finding.report.damages.contains { $0.kind == .rolledBack })
        }
    }

    @Test("an entry is shown with its proof, and one that was changed is not proved", arguments: TestDatabase.engines)
    func evidence(engine: TestDatabase.Engine) async throws {
        try await AuditFixture.with(engine) { world in
            try await world.fill(0..<300)
            func evidence(_ index: Int64) async throws -> AuditEvidence {
                try await world.log.evidence(of: index, tenant: world.tenant, reader: AuditFixture.reader)
            }
            let proved = try await evidence(7)
            #expect(proved.standing == .proved && proved.entry.object.id == "d7" && proved.proof?.holds == true)
            #expect(proved.older == 6 && proved.newer == 8 && proved.proof?.root != nil)
            // The entry that tells of the reading just now has no checkpoint over it yet.
            let fresh = try await evidence(300)
            #expect(fresh.standing == .unsigned && fresh.proof == nil && fresh.entry.code == "audit.read")
            #expect(fresh.entry.details["index"]?.integer == 7)
            try await world.tamper(
                "UPDATE audit_entry SET object_id = 'x' WHERE tenant = $1 AND position = $2", Int64(7))
            #expect(try await evidence(7).standing == .broken)
            for index in [-1, 1_000_000] as [Int64] {
                await #expect(throws: Refusal(.notFound, "audit.entryUnknown", "")) { try await evidence(index) }
            }
        }
    }
}
