import Access
import Base
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import Testing

@testable import Northbound
@testable import Telemetry

/// Somebody who watches live values and takes none.
@Suite struct NorthboundWatcherTests {
    /// A connection whose peer takes nothing until it is let.
    private final class HeldWriter: ResponseBodyWriter, Sendable {
        private struct State {
            var text = ""
            var isOpen = false
            var waiting: CheckedContinuation<Void, Never>?
        }

        private let state = Mutex(State())

        var content: String { state.withLock { $0.text } }

        func write(_ buffer: ByteBuffer) async throws {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    if !state.isOpen { state.waiting = continuation }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
            state.withLock { $0.text += String(buffer: buffer) }
        }

        func open() {
            let waiting = state.withLock { state in
                state.isOpen = true
                defer { state.waiting = nil }
                return state.waiting
            }
            waiting?.resume()
        }

        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }

    @Test("what waits for a watcher that takes nothing is bounded, and the newest is kept")
    func bounded() async throws {
        let count: Int64 = 3_000
        let next = Mutex<Int64>(0)
        let writer = HeldWriter()
        let updates = AsyncStream<LiveFeed.Update>(unfolding: {
            let number = next.withLock { number in
                number += 1
                return number
            }
            guard number <= count, let time = Timestamp(milliseconds: number) else {
                // Every value has come, and not even the first line was taken.
                writer.open()
                return nil
            }
            return LiveFeed.Update(
                series: "power", unit: nil, time: time, value: .exact(number, exponent: 0))
        })
        let answer = try LiveStreams(heartbeat: .seconds(600), clock: .system).answer(
            for: .localAdministrator, of: TenantID(high: 1, low: 1), until: nil, isWanted: { _ in true },
            updates: { updates }, recheck: { nil })
        guard case .stream(let body, _) = answer.content else { throw Refusal(.invalid, "test", "no stream") }
        try await body.write(writer)
        let events = writer.content.ranges(of: "event: value").count
        #expect((1...NorthboundLimits.liveBuffer + 2).contains(events))
        #expect(writer.content.contains("\"value\":\(count)}"))
    }
}
