import Base
import NIOCore
import NIOPosix
import Testing

@testable import Agent

/// The set-up page on an address that comes and goes.
@Suite("The agent's set-up page")
struct AgentSetupServerTests {
    @Test("an address that is not to be had yet is tried again", .timeLimit(.minutes(5)))
    func late() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let other = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(other.localAddress?.port)
        let address = try #require(SetupAddress("127.0.0.1:\(port)"))
        let server = SetupServer(address) {
            SetupPage(facts: [], entered: [:])
        } take: { _ in
        }
        let (ports, heard) = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
        await #expect(throws: (any Error).self) { try await server.run(on: group) }
        try await withThrowingTaskGroup { tasks in
            tasks.addTask {
                await server.keepRunning(on: group, log: AgentLog(isQuiet: true), pause: .milliseconds(5)) {
                    heard.yield($0)
                }
            }
            try await other.close()
            #expect(await ports.first { _ in true } == port)
            tasks.cancelAll()
        }
    }
}
