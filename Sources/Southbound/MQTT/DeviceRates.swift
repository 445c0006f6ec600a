import Access
import Base
import Fleet
import Synchronization

/// The rates of devices that send over HTTPS, where one device may hold several connections on several loops.
final class DeviceRates: Sendable {
    private struct Buckets {
        let messageRate: Int
        let byteRate: Int
        var messages: TokenBucket
        var bytes: TokenBucket

        init(_ plan: Plan) {
            messageRate = plan.deviceMessagesPerSecond
            byteRate = plan.deviceBytesPerSecond
            messages = TokenBucket(rate: messageRate)
            bytes = TokenBucket(rate: byteRate)
        }

        func follows(_ plan: Plan) -> Bool {
            messageRate == plan.deviceMessagesPerSecond && byteRate == plan.deviceBytesPerSecond
        }
    }

    private struct State {
        var buckets: [DeviceID: Buckets] = [:]
        var mostBuckets = Limits.rememberedRates
    }

    private let state = Mutex(State())

    /// Takes a message of so many bytes, or says how long the device has to wait.
    func take(_ device: DeviceID, bytes size: Int, plan: Plan, at now: UInt64) -> Duration? {
        change(device, plan, at: now) { buckets in
            let first = buckets.messages.take(1, at: now)
            let second = buckets.bytes.take(size, at: now)
            return [first, second].compactMap(\.self).max()
        }
    }

    /// Counts bytes of a message that was taken already; when they are too many, the device's next one is refused.
    func pay(_ device: DeviceID, bytes size: Int, plan: Plan, at now: UInt64) {
        change(device, plan, at: now) { _ = $0.bytes.pay(size, at: now) }
    }

    private func change<Result: Sendable>(
        _ device: DeviceID, _ plan: Plan, at now: UInt64, _ change: (inout Buckets) -> Result
    ) -> Result {
        state.withLock { state in
            var buckets = state.buckets[device].flatMap { $0.follows(plan) ? $0 : nil } ?? Buckets(plan)
            let result = change(&buckets)
            state.buckets[device] = buckets
            if state.buckets.count > state.mostBuckets {
                // A full bucket says nothing that a new one would not.
                state.buckets = state.buckets.filter { !$1.messages.isFull(at: now) || !$1.bytes.isFull(at: now) }
                state.mostBuckets = max(Limits.rememberedRates, 2 * state.buckets.count)
            }
            return result
        }
    }

    /// How many devices are remembered.
    var count: Int { state.withLock { $0.buckets.count } }
}
