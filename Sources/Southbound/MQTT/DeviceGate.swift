import Access
import Base
import Fleet
import NIOCore
import Synchronization

/// The rates of one tenant, shared by all its devices' connections on all loops.
final class TenantGate: Sendable {
    private let messages: SharedTokenBucket
    private let bytes: SharedTokenBucket

    init(plan: Plan) {
        messages = SharedTokenBucket(rate: plan.tenantMessagesPerSecond)
        bytes = SharedTokenBucket(rate: plan.tenantBytesPerSecond)
    }

    /// Follows a changed plan.
    func follow(_ plan: Plan) {
        messages.setRate(plan.tenantMessagesPerSecond)
        bytes.setRate(plan.tenantBytesPerSecond)
    }

    /// Takes a request, or says how long to wait and takes nothing of the rate that is used up.
    func take(messages count: Int, bytes size: Int, at now: UInt64) -> Duration? {
        let first = messages.take(count, at: now)
        let second = bytes.take(size, at: now)
        return longer(first, second)
    }

    /// Pays for what was read already, and says how long to read no more.
    func pay(messages count: Int, bytes size: Int, at now: UInt64) -> Duration? {
        let first = messages.pay(count, at: now)
        let second = bytes.pay(size, at: now)
        return longer(first, second)
    }
}

/// The longer of two waits, either of which may be none; without an array, because this runs for each message.
private func longer(_ first: Duration?, _ second: Duration?) -> Duration? {
    guard let first else { return second }
    return second.map { max($0, first) } ?? first
}

/// What one connection may send, by its device's and its tenant's rates.
///
/// A message that has come is taken; what exceeds the rate delays the next read, so the device's own TCP window fills
/// and nothing that was sent is lost.
struct DeviceGate: Sendable {
    private var messages: TokenBucket
    private var bytes: TokenBucket
    private let tenant: TenantGate

    init(plan: Plan, tenant: TenantGate) {
        messages = TokenBucket(rate: plan.deviceMessagesPerSecond)
        bytes = TokenBucket(rate: plan.deviceBytesPerSecond)
        self.tenant = tenant
    }

    /// Pays for messages of this many bytes together; a duration says how long to read nothing.
    mutating func pay(messages count: Int, bytes size: Int, at now: NIODeadline) -> Duration? {
        let now = now.uptimeNanoseconds
        let first = messages.pay(count, at: now)
        let second = bytes.pay(size, at: now)
        let third = tenant.pay(messages: count, bytes: size, at: now)
        return longer(longer(first, second), third)
    }
}

/// The gates of all tenants with a connection.
final class TenantGates: Sendable {
    private let gates = Mutex<[TenantID: TenantGate]>([:])

    /// The tenant's gate at its plan's rates.
    func gate(of tenant: TenantID, plan: Plan) -> TenantGate {
        gates.withLock { gates in
            if let gate = gates[tenant] {
                gate.follow(plan)
                return gate
            }
            let gate = TenantGate(plan: plan)
            gates[tenant] = gate
            return gate
        }
    }
}
