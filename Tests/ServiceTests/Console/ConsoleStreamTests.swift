import Base
import Bus
import Fleet
import HTTPTypes
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
}
