import ArgumentParser
@_spi(Benchmarks) import Fleet
import Foundation

/// Measures what a poll costs beside its transport, and how long many devices take to become late at once.
@main
struct HeartbeatLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heartbeats", abstract: "Polls on one core, and many devices that become late at once.")

    @Option(help: "devices") var devices = 100_000
    @Option(help: "times that each device polls") var rounds = 20

    func run() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "heartbeats-\(UUID().uuidString).db").path
        defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) } }
        let bench = try await HeartbeatBench(path: path, devices: devices)
        let clock = ContinuousClock()
        var sum: Int64 = 0
        let polls = clock.measure {
            for _ in 0..<rounds { for device in bench.devices { sum += bench.poll(device) } }
        }
        let count = rounds * devices
        let seconds = Double(polls.components.seconds) + Double(polls.components.attoseconds) / 1e18
        print("polls a second on one core: \(Int(Double(count) / seconds)), mean pause \(sum / Int64(count)) s")
        try await bench.passUntilLate()
        var late = 0
        let turn = try await clock.measure { late = try await bench.turn() }
        print("\(late) devices late at once, on disk and told: \(turn)")
        await bench.close()
    }
}
