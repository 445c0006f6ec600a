import Access
import Audit
import Base
import Bus
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import Operations
import ServiceLifecycle
import SignIn
import Storage
import Synchronization
import Telemetry
import Trust
import Watch

/// The event streams of open pages: bounded in number, with a sign of life, checked again and again.
///
/// What happens is gathered and told some times a second, so that a fleet that comes back at once costs each open page
/// a few lines. Nothing is replayed: a page that was away asks for its fragments anew.
final class EventStreams: Sendable {
    /// What a stream follows.
    struct Wish: Sendable {
        let tenant: TenantID
        /// The device whose values are wanted; nil for the fleet's comings and goings only.
        let found: ReadableDevice?
        /// Whether the page waits for the device's first reading.
        let waits: Bool
        /// Whether the visitor sees every device of the tenant, so that events need no look-up.
        let seesAll: Bool
        /// Who follows.
        let principal: PrincipalID
        /// When a right of theirs ends by itself; nil when none does.
        let until: Timestamp?

        var device: DeviceID? { found?.device.id }
    }

    private let bus: Bus
    private let telemetry: Telemetry
    private let clock: WallClock
    private let open = OpenStreams()

    init(_ parts: ConsoleParts) {
        bus = parts.bus
        telemetry = parts.telemetry
        clock = parts.clock
        parts.metrics.gauge("tidegate_console_streams", "Event streams of open console pages.") { [open] in
            Double(open.count)
        }
    }

    private static let tooMany = Refusal(
        .limited, "console.tooManyStreams", "Too many pages of this organisation are open.",
        retryAfter: .seconds(15))

    /// The stream; `isVisible` says whether the visitor may know of a device, `isAllowed` throws when the visitor may
    /// no longer be here.
    func answer(
        _ wish: Wish, isVisible: @escaping @Sendable (DeviceID) async -> Bool,
        isAllowed: @escaping @Sendable () async throws -> Void
    ) throws -> Answer {
        guard open.count(of: wish.tenant) < ConsoleLimits.streamsPerTenant else {
            throw Self.tooMany
        }
        return .stream("text/event-stream") { writer in
            self.open.enter(wish.tenant)
            defer { self.open.leave(wish.tenant) }
            try await self.send(wish, isVisible, isAllowed, to: writer)
        }
    }

    private func send(
        _ wish: Wish, _ isVisible: @Sendable (DeviceID) async -> Bool, _ isAllowed: @Sendable () async throws -> Void,
        to writer: BodyWriter
    ) async throws {
        let inbox = StreamInbox(of: wish.device)
        let subscriptions = follow(wish, inbox)
        defer { for subscription in subscriptions { subscription.cancel() } }
        // From here on, like the subscriptions: what comes once the page has been told that it is live is not missed.
        let updates = wish.found.map { telemetry.live.updates(tenant: wish.tenant, device: $0.device.id) }
        let (beats, beat) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        async let _ = keep(beat)
        async let _ = pass(updates, wish, to: inbox)
        try await writer.write("retry: 3000\n: open\n\n")
        var pace = Pace()
        var hasReading = false
        for await _ in beats {
            let news = inbox.take()
            let isInDoubt = news.isInDoubt || wish.until.map { $0 <= clock.now } ?? false
            if isInDoubt || pace.isCheckDue() {
                do { try await isAllowed() } catch {
                    try await writer.write("event: end\ndata: {}\n\n")
                    return
                }
                // Whoever may still be here comes again, and is asked anew how much they may know of.
                if isInDoubt { return }
                try await writer.write(": alive\n\n")
            }
            var (text, topics) = ("", news.topics)
            for (device, isOnline) in news.presence where await isVisible(device) {
                topics.insert(StreamInbox.devices)
                text += "event: device\ndata: {\"id\":\"\(device.text)\",\"online\":\(isOnline)}\n\n"
            }
            for topic in pace.due(topics, openStreams: open.count) {
                text += "event: changed\ndata: {\"topic\":\"\(topic)\"}\n\n"
            }
            if wish.waits, !hasReading, let stage = Self.stage(news, of: wish.device) {
                hasReading = !news.values.isEmpty
                text += Self.arrived(stage, isDone: hasReading)
            }
            for update in news.values.values.sorted(by: { $0.series < $1.series }) { text += Self.event(update) }
            if !text.isEmpty { try await writer.write(text) }
        }
    }

    private func follow(_ wish: Wish, _ inbox: StreamInbox) -> [Subscription] {
        [
            bus.subscribe(to: DeviceOnline.self) { event in
                if event.tenant == wish.tenant { inbox.add(event.device, isOnline: true) }
            },
            bus.subscribe(to: DeviceOffline.self) { event in
                if event.tenant == wish.tenant { inbox.add(event.device, isOnline: false) }
            },
            bus.subscribe(to: DeviceChanged.self) { event in
                guard event.tenant == wish.tenant else { return }
                if wish.seesAll { inbox.add(topic: StreamInbox.devices) }
                if event.device == wish.device, event.change == .enrolled { inbox.noteEnrolment() }
            },
            bus.subscribe(to: DevicesRegistered.self) { event in
                if event.tenant == wish.tenant, wish.seesAll { inbox.add(topic: StreamInbox.devices) }
            },
            bus.subscribe(to: BulkStepped.self) { event in
                if event.tenant == wish.tenant { inbox.add(topic: "bulk") }
            },
            bus.subscribe(to: TasksChanged.self) { event in
                if event.tenant == wish.tenant { inbox.add(topic: "tasks") }
            },
            bus.subscribe(to: CampaignChanged.self) { event in
                if event.tenant == wish.tenant { inbox.add(topic: "campaigns") }
            },
            bus.subscribe(to: AlertsChanged.self) { event in
                if event.tenant == wish.tenant { inbox.add(topic: "alerts") }
            },
            bus.subscribe(to: TopicChanged.self) { event in
                if event.tenant == wish.tenant { inbox.add(topic: event.topic) }
            },
            bus.subscribe(to: CredentialsEnded.self) { event in
                if event.principal == nil || event.principal == wish.principal { inbox.doubt() }
            },
        ]
    }

    /// A beat some times a second. The end of the server is the end of the stream, so that a shutdown never waits for it.
    private func keep(_ beat: AsyncStream<Void>.Continuation) async {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: .milliseconds(1000 / ConsoleLimits.beatsPerSecond))) != nil {
                beat.yield()
            }
        }
        beat.finish()
    }

    private func pass(_ updates: AsyncStream<LiveFeed.Update>?, _ wish: Wish, to inbox: StreamInbox) async {
        guard let updates, let found = wish.found else { return }
        for await update in updates where found.allows(update.series) { inbox.add(update) }
    }

    /// How far the device has come that a page waits for.
    private static func stage(_ news: StreamInbox.News, of device: DeviceID?) -> String? {
        if !news.values.isEmpty { return "Online: the first reading is here." }
        if let device, news.presence[device] == true { return "Connected. Waiting for its first reading…" }
        return news.isEnrolled ? "Enrolled. Waiting for its first reading…" : nil
    }

    private static func event(_ update: LiveFeed.Update) -> String {
        "event: value\ndata: {\"series\":\(JSONValue.string(update.series).canonical),"
            + "\"time\":\(update.time.milliseconds),\"value\":\(update.value)}\n\n"
    }

    private static func arrived(_ text: String, isDone: Bool) -> String {
        "event: arrived\ndata: {\"text\":\(JSONValue.string(text).canonical),\"done\":\(isDone)}\n\n"
    }
}

/// How many streams are open, of each tenant and of all.
private final class OpenStreams: Sendable {
    private let tenants = Mutex<[TenantID: Int]>([:])

    var count: Int { tenants.withLock { $0.values.reduce(0, +) } }

    func count(of tenant: TenantID) -> Int { tenants.withLock { $0[tenant, default: 0] } }

    func enter(_ tenant: TenantID) { tenants.withLock { $0[tenant, default: 0] += 1 } }

    func leave(_ tenant: TenantID) {
        tenants.withLock { tenants in
            let count = tenants[tenant, default: 1] - 1
            tenants[tenant] = count > 0 ? count : nil
        }
    }
}

/// When a stream checks its rights, and how often it has its page load something anew.
private struct Pace {
    private var beats = 0
    private var waiting: Set<String> = []
    private var told = 0

    /// Whether a sign of life and a look at the rights are due with this beat.
    mutating func isCheckDue() -> Bool {
        beats += 1
        return beats.isMultiple(of: ConsoleLimits.heartbeatSeconds * ConsoleLimits.beatsPerSecond)
    }

    /// The topics that the page may ask for anew now: the more pages are open, the less often each of them.
    mutating func due(_ topics: Set<String>, openStreams: Int) -> [String] {
        waiting.formUnion(topics)
        let rest = openStreams * ConsoleLimits.beatsPerSecond / ConsoleLimits.refreshesPerSecond
        guard !waiting.isEmpty, beats - told > rest || told == 0 else { return [] }
        told = beats
        defer { waiting = [] }
        return waiting.sorted()
    }
}
