import Base
import Synchronization
import Telemetry

/// What has happened since an event stream told its page last: the newest of each thing, so that it stays small however
/// much happens.
final class StreamInbox: Sendable {
    /// What a page is told at once.
    struct News {
        /// Devices that came or went, as they are now.
        fileprivate(set) var presence: [DeviceID: Bool] = [:]
        /// What has changed of lists.
        fileprivate(set) var topics: Set<String> = []
        /// The newest value of each series that became durable.
        fileprivate(set) var values: [String: LiveFeed.Update] = [:]
        /// Whether the device that the page waits for got its first certificate.
        fileprivate(set) var isEnrolled = false
        /// Whether a credential has ended that may be the visitor's.
        fileprivate(set) var isInDoubt = false
    }

    /// The topic of a tenant's devices and their number.
    static let devices = "devices"

    /// The device whose page it is: always named.
    private let device: DeviceID?
    private let news = Mutex(News())

    /// An empty one, of the page of this device or of none.
    init(of device: DeviceID?) { self.device = device }

    /// What there is; nothing of it is there any more.
    func take() -> News { news.withLock { exchange(&$0, with: News()) } }

    /// A device came or went. Of a crowd some are named, and the page asks for the rest.
    func add(_ device: DeviceID, isOnline: Bool) {
        news.withLock { news in
            if news.presence.count < ConsoleLimits.namedDevices || news.presence[device] != nil || device == self.device
            {
                news.presence[device] = isOnline
            } else {
                news.topics.insert(Self.devices)
            }
        }
    }

    /// Something of a list has changed.
    func add(topic: String) { news.withLock { _ = $0.topics.insert(topic) } }

    /// A value became durable.
    func add(_ update: LiveFeed.Update) {
        news.withLock { news in
            if news.values.count < ConsoleLimits.liveSeries || news.values[update.series] != nil {
                news.values[update.series] = update
            }
        }
    }

    /// A device got its first certificate.
    func noteEnrolment() { news.withLock { $0.isEnrolled = true } }

    /// A credential has ended that may be the visitor's.
    func doubt() { news.withLock { $0.isInDoubt = true } }
}
