import Base
import Fleet
import MQTT
import NIOCore
import Synchronization

/// Which connection holds a device's MQTT session, and the sessions that wait for their device to return.
///
/// A device has one session for each channel, whatever client identifier it gives: a second connection takes it over
/// ([MQTT-3.1.4-3]), and nobody fills memory by inventing identifiers.
final class MQTTSessions: Sendable {
    /// What a session belongs to.
    struct Key: Hashable, Sendable {
        var device: DeviceID
        var channels: ChannelSet
    }

    /// A connection that can give up its session, on its own loop.
    protocol Holder: AnyObject, Sendable {
        var eventLoop: any EventLoop { get }
        /// Ends the connection because another one takes the session over, and returns what is to be resumed.
        func takenOver() -> Kept?
        /// What the device is wanted to be has changed.
        func desiredChanged(_ change: DesiredChanged)
        /// Work waits for the device.
        func tasksPosted()
    }

    /// What waits for a device to return.
    struct Kept: Sendable {
        var session: SessionState
        var desired: DesiredDelivery
        var tasks: TaskDelivery
    }

    /// The most sessions kept for devices that are away.
    static let maximumKept = 1_000_000

    private enum Entry {
        case live(any Holder)
        case kept(Kept, until: NIODeadline)
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var keptCount = 0
    }

    private let state = Mutex(State())

    /// Makes `holder` the connection of `key`; the future brings the session that it may resume.
    func claim(_ key: Key, by holder: any Holder, at now: NIODeadline) -> EventLoopFuture<Kept?> {
        let previous = state.withLock { state in
            let previous = state.entries.updateValue(.live(holder), forKey: key)
            if case .kept? = previous { state.keptCount -= 1 }
            return previous
        }
        switch previous {
        case nil: return holder.eventLoop.makeSucceededFuture(nil)
        case .kept(let kept, let until): return holder.eventLoop.makeSucceededFuture(until > now ? kept : nil)
        case .live(let other):
            return other.eventLoop.submit { other.takenOver() }.hop(to: holder.eventLoop)
        }
    }

    /// Ends the claim of `holder`, keeping its session for a while if there is one to keep.
    func release(_ key: Key, by holder: any Holder, keeping kept: Kept?, at now: NIODeadline) {
        state.withLock { state in
            guard case .live(let current)? = state.entries[key], current === holder else { return }
            if let kept, state.keptCount < Self.maximumKept {
                state.entries[key] = .kept(kept, until: now + .seconds(Int64(kept.session.expiryInterval)))
                state.keptCount += 1
            } else {
                state.entries[key] = nil
            }
        }
    }

    /// Tells the connections of a device what it is wanted to be; one without a connection hears it when it returns.
    func tell(_ change: DesiredChanged) {
        for holder in holders(of: change.device) { holder.eventLoop.execute { holder.desiredChanged(change) } }
    }

    /// Tells the connections of a device that work waits for it; one without a connection hears it when it returns.
    func tellOfTasks(_ device: DeviceID) {
        for holder in holders(of: device) { holder.eventLoop.execute { holder.tasksPosted() } }
    }

    /// The connections of a device that open its maintenance channel.
    private func holders(of device: DeviceID) -> [any Holder] {
        state.withLock { state in
            [ChannelSet.maintenance, .both].compactMap { channels in
                guard case .live(let holder)? = state.entries[Key(device: device, channels: channels)] else {
                    return nil
                }
                return holder
            }
        }
    }

    /// Forgets the kept sessions whose time is over.
    func removeExpired(at now: NIODeadline) {
        state.withLock { state in
            for (key, entry) in state.entries {
                guard case .kept(_, let until) = entry, until <= now else { continue }
                state.entries[key] = nil
                state.keptCount -= 1
            }
        }
    }

    /// Forgets what is kept for a device whose access ended.
    func forget(_ device: DeviceID) {
        state.withLock { state in
            for channels in [ChannelSet.maintenance, .stream, .both] {
                let key = Key(device: device, channels: channels)
                guard case .kept? = state.entries[key] else { continue }
                state.entries[key] = nil
                state.keptCount -= 1
            }
        }
    }
}
