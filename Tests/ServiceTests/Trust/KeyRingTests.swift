import Base
import Foundation
import Storage
import Testing

@testable import Trust

@Suite("key ring")
struct KeyRingTests {
    @Test("a sealed value opens at its place, in this process and the next", arguments: TestDatabase.engines)
    func roundTrip(engine: TestDatabase.Engine) async throws {
        try await TrustFixture.with(engine) { fixture in
            try await fixture.hang("fur")
            #expect(try await fixture.look() == "fur")
            #expect(try await fixture.look(with: fixture.reopenedRing()) == "fur")
        }
    }

    @Test(
        "a sealed value that was moved to another row, column or tenant does not open", arguments: TestDatabase.engines)
    func moved(engine: TestDatabase.Engine) async throws {
        try await TrustFixture.with(engine) { fixture in
            try await fixture.createTenant(TenantID(high: 5, low: 2), slug: "rival")
            try await fixture.hang("fur")
            let ring = fixture.ring
            let places = [
                TrustFixture.secret.place(TrustFixture.tenant, row: 2, "coat"),
                TrustFixture.note.place(TrustFixture.tenant, row: 1, "coat"),
                TrustFixture.secret.place(TenantID(high: 5, low: 2), row: 1, "coat"),
            ]
            for place in places {
                await #expect(throws: Refusal(.unavailable, "trust.sealBroken", "")) {
                    try await fixture.database.tenant(TrustFixture.tenant).read { transaction in
                        let sealed = try transaction.row("SELECT secret FROM coat WHERE tenant = $1")?.blob(0) ?? []
                        _ = try ring.open(sealed, at: place, in: transaction)
                    }
                }
            }
        }
    }

    @Test("a key made in a transaction that is rolled back is not remembered", arguments: TestDatabase.engines)
    func rolledBack(engine: TestDatabase.Engine) async throws {
        try await TrustFixture.with(engine, tenant: false) { fixture in
            let ring = fixture.ring
            let place = TrustFixture.secret.place(TrustFixture.tenant, row: 1, "coat")
            await #expect(throws: CancellationError.self) {
                try await fixture.database.platform.write { transaction in
                    try ring.createTenantKey(TrustFixture.tenant, in: transaction)
                    _ = try ring.seal([1], at: place, in: transaction)
                    throw CancellationError()
                }
            }
            await #expect(throws: Refusal(.unavailable, "trust.tenantKeyMissing", "")) {
                try await fixture.database.tenant(TrustFixture.tenant).write {
                    _ = try ring.seal([1], at: place, in: $0)
                }
            }
            try await fixture.createTenant()
            try await fixture.hang("fur")
            #expect(try await fixture.look(with: fixture.reopenedRing()) == "fur")
        }
    }

    @Test("destroying a tenant's keys shreds what they sealed, at once", arguments: TestDatabase.engines)
    func shredded(engine: TestDatabase.Engine) async throws {
        try await TrustFixture.with(engine) { fixture in
            try await fixture.hang("fur")
            try await fixture.database.tenant(TrustFixture.tenant).write { [ring = fixture.ring] transaction in
                try ring.destroyTenantKeys(TrustFixture.tenant, in: transaction)
            }
            await #expect(throws: Refusal(.unavailable, "trust.tenantKeyMissing", "")) { try await fixture.look() }
        }
    }

    @Test(
        "a rotation seals everything again in steps and destroys the old key after the grace",
        arguments: TestDatabase.engines)
    func rotation(engine: TestDatabase.Engine) async throws {
        try await TrustFixture.with(engine) { fixture in
            for shelf in 1...5 { try await fixture.hang("coat \(shelf)", shelf: shelf) }
            #expect(try await fixture.ring.rotateTenantKeys(in: fixture.database) == 1)
            try await fixture.hang("new", shelf: 6)

            var steps: [RotationProgress] = []
            repeat {
                // Each step by another key ring, as if the server were restarted after every one.
                steps.append(try await fixture.reopenedRing().rotationStep(in: fixture.database, rows: 2))
            } while !(steps.last?.isIdle ?? true) && steps.count < 20
            #expect(steps.map(\.resealed) == [2, 2, 2, 0])  // Five coats and the issuing CA's key.
            #expect(steps.last?.waiting == 1)
            #expect(steps.allSatisfy { !$0.isFinished })

            fixture.time.advance(by: .seconds(601))
            let last = try await fixture.ring.rotationStep(in: fixture.database)
            #expect(last.destroyed == 1)
            #expect(last.isFinished)
            for shelf in 1...5 { #expect(try await fixture.look(shelf: shelf) == "coat \(shelf)") }
            #expect(try await fixture.look(shelf: 6) == "new")
            let versions = try await fixture.database.tenant(TrustFixture.tenant).read {
                try $0.rows("SELECT version FROM tenant_key WHERE tenant = $1").map { try $0.int(0) }
            }
            #expect(versions == [2])
        }
    }

    @Test("a value that can not be sealed again keeps its key until it is gone", arguments: TestDatabase.engines)
    func kept(engine: TestDatabase.Engine) async throws {
        try await TrustFixture.with(engine) { fixture in
            try await fixture.hang("hashed", column: TrustFixture.note)
            try await fixture.ring.rotateTenantKeys(in: fixture.database)
            fixture.time.advance(by: .seconds(3600))
            var progress = try await fixture.ring.rotationStep(in: fixture.database)
            #expect(progress.resealed == 1)  // The issuing CA's key.
            #expect(progress.waiting == 1)
            #expect(try await fixture.look(column: TrustFixture.note) == "hashed")

            try await fixture.database.tenant(TrustFixture.tenant).write { transaction in
                _ = try transaction.execute("DELETE FROM coat WHERE tenant = $1")
            }
            progress = try await fixture.ring.rotationStep(in: fixture.database)
            #expect(progress.isFinished && progress.destroyed == 1)
        }
    }

    @Test(
        "another process that rotates is noticed within a minute, before its old key goes",
        arguments: TestDatabase.engines)
    func otherProcess(engine: TestDatabase.Engine) async throws {
        try await TrustFixture.with(engine) { fixture in
            try await fixture.hang("fur")
            let other = try fixture.reopenedRing()
            try await other.rotateTenantKeys(in: fixture.database)
            _ = try await other.rotationStep(in: fixture.database)
            // This process still seals with the old key: the other must find that value before it destroys the key.
            try await fixture.hang("late", shelf: 2)
            #expect(try await fixture.look() == "fur")
            fixture.time.advance(by: .seconds(601))
            let progress = try await other.rotationStep(in: fixture.database)
            #expect(progress.resealed == 1 && progress.destroyed == 1)
            #expect(try await fixture.look(shelf: 2) == "late")
            try await fixture.hang("newer", shelf: 3)
            #expect(try await fixture.look(shelf: 3, with: other) == "newer")
        }
    }

    @Test(
        "the root key is replaced under running tenants, and a restart in the middle goes on",
        arguments: TestDatabase.engines)
    func rootRotation(engine: TestDatabase.Engine) async throws {
        try await TrustFixture.with(engine) { fixture in
            try await fixture.createTenant(TenantID(high: 5, low: 2), slug: "rival")
            try await fixture.hang("fur")
            try fixture.ring.rotateRoot()
            #expect(throws: Refusal(.conflict, "trust.rotationUnderWay", "")) { try fixture.ring.rotateRoot() }
            try await fixture.hang("between", shelf: 2)
            #expect(try await fixture.look() == "fur")
            let restarted = try fixture.reopenedRing()
            let progress = try await restarted.rotationStep(in: fixture.database)
            #expect(progress.rewrapped == 2 && progress.isFinished)
            #expect(try RootKeysFile.versions(fixture.directory) == [2])
            #expect(try await fixture.look(with: fixture.reopenedRing()) == "fur")
            #expect(try await fixture.look(shelf: 2, with: restarted) == "between")
            // The first process has not seen the old root key go.
            fixture.time.advance(by: .seconds(61))
            #expect(try await fixture.look() == "fur")
        }
    }

    @Test("replacing the seal key changes nothing in the database", arguments: TestDatabase.engines)
    func sealRotation(engine: TestDatabase.Engine) async throws {
        try await TrustFixture.with(engine) { fixture in
            try await fixture.hang("fur")
            try fixture.ring.rotateSeal()
            #expect(try await fixture.look() == "fur")
            #expect(try await fixture.look(with: fixture.reopenedRing()) == "fur")
        }
    }

    @Test("keys of one installation and the database of another do not open together", arguments: TestDatabase.engines)
    func foreignKeys(engine: TestDatabase.Engine) async throws {
        try await TrustFixture.with(engine) { fixture in
            try await fixture.hang("fur")
            try await TestDatabase.withDirectory { other in
                let ring = try TrustFixture.ring(other, fixture.time)
                await #expect(throws: Refusal(.unavailable, "trust.tenantKeyBroken", "")) {
                    try await fixture.look(with: ring)
                }
            }
        }
    }

    @Test("the database holds no plaintext of what was sealed")
    func noPlaintext() async throws {
        try await TrustFixture.with(.sqlite) { fixture in
            try await fixture.hang("a very secret lining")
            let stored = try await fixture.database.platform.read {
                try $0.acrossTenants.rows("SELECT secret FROM coat").map { try $0.blob(0) }
            }
            #expect(!String(decoding: stored.joined(), as: UTF8.self).contains("lining"))
        }
    }
}

/// Looks into the file of root keys.
enum RootKeysFile {
    static func versions(_ directory: String) throws -> [UInt32] {
        try KeyFiles(directory: "\(directory)/keys").load().versions.keys.sorted()
    }
}
