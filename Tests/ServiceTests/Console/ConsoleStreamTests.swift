import Access
import Base
import Bus
import Fleet
import HTTPTypes
import SignIn
import Testing

@testable import Console

/// The event streams of open pages when rights change under them.
@Suite struct ConsoleStreamTests {
    /// The stream of a visitor's page until it ends; meanwhile it is told again and again that rights changed.
    private static func stream(_ world: ConsoleFixture, as visitor: String) async throws -> ConsoleFixture.Reply? {
        try await withThrowingTaskGroup(of: ConsoleFixture.Reply?.self) { group in
            group.addTask { try await world.get("/t/acme/live", as: visitor) }
            group.addTask {
                while (try? await Task.sleep(for: .milliseconds(20))) != nil {
                    world.api.world.bus.publish(CredentialsEnded(tenant: world.api.world.acme, principal: nil))
                }
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    @Test(
        "a stream ends when rights change, and who may go on comes again with the width they have then",
        .timeLimit(.minutes(10)))
    func doubt() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let still = try #require(try await Self.stream(world, as: "viewer"))
            #expect(still.status == 200 && still.text.contains(": open") && !still.text.contains("event: end"))
        }
    }

    @Test("a stream ends when a right of its visitor ends by itself", .timeLimit(.minutes(10)))
    func end() async throws {
        try await ConsoleFixture.with(.sqlite, newcomer: "ann") { world in
            let ann = try await world.enter("ann@example.com").principal.id.text
            let ends = world.api.world.time.clock.now + .seconds(60)
            let made = try await world.api.send(
                .post, "/api/v1/tenants/acme/grants",
                ["principal": .string(ann), "role": "operator", "expires": .string(ends.rfc3339)])
            #expect(made.status == 201, "\(made.text)")
            async let reply = world.get("/t/acme/live", as: "ann")
            try await until("the stream is open") {
                world.parts.metrics.text().contains("tidegate_console_streams 1")
            }
            world.api.world.time.advance(by: .seconds(61))
            let ended = try await reply
            #expect(ended.status == 200 && ended.text.contains(": open") && !ended.text.contains("event: end"))
        }
    }
}
