import Access
import Audit
import Base
import Bus
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import ServiceLifecycle
import SignIn
import Storage
import Synchronization
import Telemetry
import Trust

/// The event streams of open pages: bounded in number and in what waits, with a sign of life, checked again and again.
///
/// Nothing is replayed: a page that was away asks for its fragments anew.
final class EventStreams: Sendable {
    /// What a stream tells its page.
    enum Item: Sendable {
        /// A second has passed.
        case tick
        /// A device came or went.
        case presence(DeviceID, isOnline: Bool)
        /// Something of a list has changed.
        case changed(topic: String)
        /// A device got its first certificate.
        case enrolled
        /// A value became durable.
        case value(LiveFeed.Update)
        /// A credential has ended that may be the visitor's.
        case doubt
    }

    /// What a stream follows.
    struct Wish: Sendable {
        let tenant: TenantID
        /// The device whose values are wanted; nil for the fleet's comings and goings only.
        let device: DeviceID?
        /// Whether the page waits for the device's first reading.
        let waits: Bool
        /// Whether the visitor sees every device of the tenant, so that events need no look-up.
        let seesAll: Bool
        /// Who follows.
        let principal: PrincipalID
    }

    private let bus: Bus
    private let telemetry: Telemetry
    private let open = Mutex<[TenantID: Int]>([:])
    private let gauge: Gauge

    init(_ parts: ConsoleParts) {
        bus = parts.bus
        telemetry = parts.telemetry
        gauge = Gauge()
        let gauge = gauge
        parts.metrics.gauge("tidegate_console_streams", "Event streams of open console pages.") { gauge.value }
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
        guard open.withLock({ $0[wish.tenant, default: 0] < ConsoleLimits.streamsPerTenant }) else {
            throw Self.tooMany
        }
        return .stream("text/event-stream") { writer in
            self.enter(wish.tenant)
            defer { self.leave(wish.tenant) }
            try await self.send(wish, isVisible, isAllowed, to: writer)
        }
    }

    private func enter(_ tenant: TenantID) {
        open.withLock { $0[tenant, default: 0] += 1 }
        gauge.add(1)
    }

    private func leave(_ tenant: TenantID) {
        open.withLock { open in
            let count = open[tenant, default: 1] - 1
            open[tenant] = count > 0 ? count : nil
        }
        gauge.add(-1)
    }

    private func send(
        _ wish: Wish, _ isVisible: @Sendable (DeviceID) async -> Bool, _ isAllowed: @Sendable () async throws -> Void,
        to writer: BodyWriter
    ) async throws {
        let (items, source) = AsyncStream.makeStream(
            of: Item.self, bufferingPolicy: .bufferingNewest(ConsoleLimits.waitingEvents))
        let subscriptions = follow(wish, source)
        defer { for subscription in subscriptions { subscription.cancel() } }
        async let _ = tick(source)
        async let _ = pass(wish, to: source)
        try await writer.write("retry: 3000\n: open\n\n")
        var pace = Pace()
        var hasReading = false
        for await item in items {
            switch item {
            case .tick:
                for update in pace.tick() { try await writer.write(Self.event(update)) }
                guard pace.isHeartbeat else { continue }
                do { try await isAllowed() } catch {
                    try await writer.write("event: end\ndata: {}\n\n")
                    return
                }
                try await writer.write(": alive\n\n")
            case .presence(let device, let isOnline):
                guard await isVisible(device) else { continue }
                try await writer.write(
                    "event: device\ndata: {\"id\":\"\(device.text)\",\"online\":\(isOnline)}\n\n")
                if wish.waits, device == wish.device, isOnline, !hasReading {
                    try await writer.write(Self.arrived("Connected. Waiting for its first reading…", isDone: false))
                }
            case .changed(let topic): try await writer.write("event: changed\ndata: {\"topic\":\"\(topic)\"}\n\n")
            case .enrolled:
                if wish.waits, !hasReading {
                    try await writer.write(Self.arrived("Enrolled. Waiting for its first reading…", isDone: false))
                }
            case .value(let update):
                if wish.waits, !hasReading {
                    hasReading = true
                    try await writer.write(Self.arrived("Online: the first reading is here.", isDone: true))
                }
                if let update = pace.take(update) { try await writer.write(Self.event(update)) }
            case .doubt:
                // Whoever may still be here comes again, and is asked anew how much they may know of.
                do { try await isAllowed() } catch { try await writer.write("event: end\ndata: {}\n\n") }
                return
            }
        }
    }

    private func follow(_ wish: Wish, _ source: AsyncStream<Item>.Continuation) -> [Subscription] {
        [
            bus.subscribe(to: DeviceOnline.self) { event in
                if event.tenant == wish.tenant { source.yield(.presence(event.device, isOnline: true)) }
            },
            bus.subscribe(to: DeviceOffline.self) { event in
                if event.tenant == wish.tenant { source.yield(.presence(event.device, isOnline: false)) }
            },
            bus.subscribe(to: DeviceChanged.self) { event in
                guard event.tenant == wish.tenant else { return }
                if wish.seesAll { source.yield(.changed(topic: "devices")) }
                if event.device == wish.device, event.change == .enrolled { source.yield(.enrolled) }
            },
            bus.subscribe(to: BulkStepped.self) { event in
                if event.tenant == wish.tenant { source.yield(.changed(topic: "bulk")) }
            },
            bus.subscribe(to: CredentialsEnded.self) { event in
                if event.principal == nil || event.principal == wish.principal { source.yield(.doubt) }
            },
            bus.subscribe(to: TopicChanged.self) { event in
                if event.tenant == wish.tenant { source.yield(.changed(topic: event.topic)) }
            },
            bus.subscribe(to: DevicesRegistered.self) { event in
                if event.tenant == wish.tenant, wish.seesAll { source.yield(.changed(topic: "devices")) }
            },
        ]
    }

    /// A tick each second. The end of the server is the end of the stream, so that a shutdown never waits for it.
    private func tick(_ source: AsyncStream<Item>.Continuation) async {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: .seconds(1))) != nil { source.yield(.tick) }
        }
        source.finish()
    }

    private func pass(_ wish: Wish, to source: AsyncStream<Item>.Continuation) async {
        guard let device = wish.device else { return }
        for await update in telemetry.live.updates(tenant: wish.tenant, device: device) { source.yield(.value(update)) }
    }

    private static func event(_ update: LiveFeed.Update) -> String {
        "event: value\ndata: {\"series\":\(JSONValue.string(update.series).canonical),"
            + "\"time\":\(update.time.milliseconds),\"value\":\(update.value)}\n\n"
    }

    private static func arrived(_ text: String, isDone: Bool) -> String {
        "event: arrived\ndata: {\"text\":\(JSONValue.string(text).canonical),\"done\":\(isDone)}\n\n"
    }

    /// How many streams are open.
    private final class Gauge: Sendable {
        private let count = Mutex(0)
        var value: Double { Double(count.withLock { $0 }) }
        func add(_ difference: Int) { count.withLock { $0 += difference } }
    }
}

/// Lets at most one value of each series through in a second: the newest.
private struct Pace {
    private var sent: Set<String> = []
    private var waiting: [String: LiveFeed.Update] = [:]
    private var ticks = 0

    var isHeartbeat: Bool { ticks.isMultiple(of: ConsoleLimits.heartbeatSeconds) }

    /// The value when it may go at once; otherwise it waits for the tick, in place of an older one.
    mutating func take(_ update: LiveFeed.Update) -> LiveFeed.Update? {
        if sent.insert(update.series).inserted { return update }
        waiting[update.series] = update
        return nil
    }

    /// What waited for this second.
    mutating func tick() -> [LiveFeed.Update] {
        ticks += 1
        defer { waiting = [:] }
        sent = Set(waiting.keys)
        return waiting.values.sorted { $0.series < $1.series }
    }
}
