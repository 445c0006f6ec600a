import Access
import Audit
import Base
import NIOCore
import Storage
import Testing

@testable import Fleet
@testable import Operations

/// What one tenant publishes arrives at another, checked, and only there and then.
@Suite("Release lines")
struct ReleaseLineTests {
    private static let admin = OperationsFixture.admin

    @Test("a published release arrives with its files, and is withdrawn when it is", arguments: TestDatabase.engines)
    func arrival(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { fixture in
            let line = try await fixture.acceptedLine()
            let source = try await fixture.publish("1.0", content: "the first")
            try await fixture.operations.carryReleases()
            let there = try #require(try await fixture.releasesOfOther().first)
            #expect(there.state == .published && there.version == "1.0" && there.counter == source.counter)
            #expect(there.artifacts.map(\.sha256) == source.artifacts.map(\.sha256))
            #expect(there.artifacts[0].id != source.artifacts[0].id)
            #expect(try await fixture.content(of: there.artifacts[0]) == "the first")
            #expect(there.creatorName == "acme (release line)")
            // A second round carries nothing twice.
            try await fixture.operations.carryReleases()
            #expect(try await fixture.releasesOfOther().count == 1)
            _ = try await fixture.operations.withdrawRelease(source.id, in: fixture.world.acme, by: Self.admin)
            try await fixture.operations.carryReleases()
            #expect(try await fixture.releasesOfOther().first?.state == .withdrawn)
            #expect(try await fixture.lines().first?.id == line.id)
            let codes = Set(try await fixture.world.audited("release", in: fixture.world.rival))
            #expect(
                codes == ["releaseLine.offered", "releaseLine.accepted", "release.arrived", "release.withdrawn"])
        }
    }

    @Test("only the last release of before arrives, then each new one", arguments: TestDatabase.engines)
    func lastOnly(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { fixture in
            for version in ["1", "2", "3"] { _ = try await fixture.publish(version, content: version) }
            _ = try await fixture.acceptedLine()
            try await fixture.operations.carryReleases()
            #expect(try await fixture.releasesOfOther().map(\.version) == ["3"])
            _ = try await fixture.publish("4", content: "4")
            _ = try await fixture.publish("5", content: "5")
            try await fixture.operations.carryReleases()
            #expect(Set(try await fixture.releasesOfOther().map(\.version)) == ["5", "4", "3"])
        }
    }

    @Test(
        "nothing arrives before an offer is accepted, nor after it was declined or ended",
        arguments: TestDatabase.engines)
    func statuses(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { fixture in
            let (operations, acme, rival) = (fixture.operations, fixture.world.acme, fixture.world.rival)
            _ = try await fixture.publish("1", content: "1")
            let first = try await fixture.offer()
            try await operations.carryReleases()
            #expect(try await fixture.releasesOfOther().isEmpty)
            // Whoever offers can not answer in the other's place, and there is one offer at a time.
            await #expect(throws: Refusal(.conflict, "releaseLine.side", "")) {
                try await operations.acceptReleaseLine(first.id, in: acme, by: Self.admin)
            }
            await #expect(throws: Refusal(.conflict, "releaseLine.there", "")) { try await fixture.offer() }
            _ = try await operations.declineReleaseLine(first.id, in: rival, by: Self.admin)
            await #expect(throws: Refusal(.conflict, "releaseLine.status", "")) {
                try await operations.acceptReleaseLine(first.id, in: rival, by: Self.admin)
            }
            let second = try await fixture.acceptedLine()
            _ = try await operations.endReleaseLine(second.id, in: acme, by: Self.admin)
            try await operations.carryReleases()
            #expect(try await fixture.releasesOfOther().isEmpty)
        }
    }

    @Test(
        "a release that the other side has of its own is told, and the next one arrives",
        arguments: TestDatabase.engines)
    func taken(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { fixture in
            _ = try await fixture.publish("1", content: "own", in: fixture.world.rival)
            _ = try await fixture.acceptedLine()
            _ = try await fixture.publish("1", content: "1")
            try await fixture.operations.carryReleases()
            #expect(try await fixture.releasesOfOther().count == 1)
            #expect(try await fixture.lines().first?.problem?.hasPrefix("1: ") == true)
            _ = try await fixture.publish("2", content: "2")
            fixture.world.time.advance(by: .seconds(3601))
            try await fixture.operations.carryReleases()
            #expect(Set(try await fixture.releasesOfOther().map(\.version)) == ["2", "1"])
            #expect(try await fixture.lines().first?.problem == nil)
            #expect(try await fixture.world.audited("release.refused", in: fixture.world.rival).count == 1)
        }
    }

    @Test("a release that finds no room is waited for, and none overtakes it", arguments: TestDatabase.engines)
    func waits(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { fixture in
            _ = try await fixture.acceptedLine()
            _ = try await fixture.publish("1", content: String(repeating: "1", count: (1 << 20) + 1))
            _ = try await fixture.publish("2", content: "2")
            let generous = try #require(fixture.world.fleet.directory.plan(of: fixture.world.rival))
            var small = generous
            small.artifactMegabytes = 1
            _ = try await fixture.world.access.putPlan(small, by: Self.admin)
            try await fixture.operations.carryReleases()
            #expect(try await fixture.releasesOfOther().isEmpty)
            #expect(try await fixture.lines().first?.problem?.hasPrefix("1: ") == true)
            _ = try await fixture.world.access.putPlan(generous, by: Self.admin)
            fixture.world.time.advance(by: .seconds(3601))
            try await fixture.operations.carryReleases()
            #expect(Set(try await fixture.releasesOfOther().map(\.version)) == ["2", "1"])
            #expect(try await fixture.lines().first?.problem == nil)
        }
    }

    @Test("what is withdrawn is withdrawn at once, though a later release waits", arguments: TestDatabase.engines)
    func withdrawnWhileWaiting(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { fixture in
            _ = try await fixture.acceptedLine()
            let first = try await fixture.publish("1", content: "1")
            try await fixture.operations.carryReleases()
            _ = try await fixture.publish("2", content: String(repeating: "2", count: (1 << 20) + 1))
            var small = try #require(fixture.world.fleet.directory.plan(of: fixture.world.rival))
            small.artifactMegabytes = 1
            _ = try await fixture.world.access.putPlan(small, by: Self.admin)
            try await fixture.operations.carryReleases()
            #expect(try await fixture.lines().first?.problem?.hasPrefix("2: ") == true)
            _ = try await fixture.operations.withdrawRelease(first.id, in: fixture.world.acme, by: Self.admin)
            try await fixture.operations.carryReleases()
            #expect(try await fixture.releasesOfOther().map(\.state) == [.withdrawn])
            #expect(try await fixture.lines().first?.problem?.hasPrefix("2: ") == true)
        }
    }

    @Test("a line that fails holds up none behind it", arguments: TestDatabase.engines)
    func apart(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { fixture in
            _ = try await fixture.acceptedLine()
            fixture.world.time.advance(by: .seconds(1))
            _ = try await fixture.acceptedLine(of: "modem")
            _ = try await fixture.publish("1", content: "1")
            _ = try await fixture.publish("7", content: "7", of: "modem")
            try await fixture.world.database.tenant(fixture.world.acme).write { transaction -> Void in
                try transaction.execute(
                    "UPDATE release SET hardware = '{}' WHERE tenant = $1 AND component = 'system'")
            }
            await #expect(throws: StorageError.self) { try await fixture.operations.carryReleases() }
            #expect(try await fixture.releasesOfOther().map(\.component) == ["modem"])
        }
    }

    @Test("who may not share releases offers and accepts none", arguments: TestDatabase.engines)
    func rights(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { fixture in
            let viewer = try await fixture.world.principal("viewer")
            let name = try #require(Name("system")), slug = try #require(TenantSlug("rival"))
            await #expect(throws: Refusal.self) {
                try await fixture.operations.offerReleaseLine(of: name, to: slug, in: fixture.world.acme, by: viewer)
            }
            let line = try await fixture.offer()
            await #expect(throws: Refusal.self) {
                try await fixture.operations.endReleaseLine(line.id, in: fixture.world.acme, by: viewer)
            }
            let stranger = try #require(TenantSlug("nobody"))
            await #expect(throws: Refusal(.notFound, "tenant.unknown", "")) {
                try await fixture.operations.offerReleaseLine(
                    of: name, to: stranger, in: fixture.world.acme, by: Self.admin)
            }
        }
    }
}

/// Bytes that come in one piece.
private struct OnePiece: AsyncSequence {
    let text: String

    struct AsyncIterator: AsyncIteratorProtocol {
        var text: String?

        mutating func next() async throws -> ByteBuffer? {
            defer { text = nil }
            return text.map { ByteBuffer(string: $0) }
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(text: text) }
}

extension OperationsFixture {
    fileprivate func offer(of component: String = "system") async throws -> ReleaseLine {
        try await operations.offerReleaseLine(
            of: try #require(Name(component)), to: try #require(TenantSlug("rival")), in: world.acme, by: Self.admin)
    }

    fileprivate func acceptedLine(of component: String = "system") async throws -> ReleaseLine {
        try await operations.acceptReleaseLine(try await offer(of: component).id, in: world.rival, by: Self.admin)
    }

    fileprivate func publish(
        _ version: String, content: String, of component: String = "system", in tenant: TenantID? = nil
    ) async throws -> Release {
        let tenant = tenant ?? world.acme
        let draft = try ArtifactDraft(name: "image-\(version).bin", size: Int64(content.utf8.count))
        let upload = try await operations.begin(draft, in: tenant, by: Self.admin)
        _ = try await operations.append(OnePiece(text: content), to: upload, at: 0, in: tenant, by: Self.admin)
        let release = try await operations.createRelease(
            ReleaseDraft(component: try #require(Name(component)), version: version, artifacts: [upload.id]),
            in: tenant, by: Self.admin)
        return try await operations.publishRelease(release.id, in: tenant, by: Self.admin)
    }

    fileprivate func releasesOfOther() async throws -> [Release] {
        try await operations.releases(limit: 100, in: world.rival, by: Self.admin)
    }

    fileprivate func lines() async throws -> [ReleaseLine] {
        try await operations.releaseLines(in: world.rival, by: Self.admin)
    }

    fileprivate func content(of artifact: Artifact) async throws -> String {
        let bytes = try #require(try await operations.open(artifact, of: world.rival))
        return String(buffer: try await operations.read(bytes, at: 0))
    }
}
