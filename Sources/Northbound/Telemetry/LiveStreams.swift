import Access
import Base
import ServiceLifecycle
import Synchronization
import Telemetry

/// Live streams of a device's values as server-sent events, with a bound on what waits and on how many there are.
///
/// There is no replay: `Last-Event-ID` is ignored, and a client that was away asks the query for what it missed.
final class LiveStreams: Sendable {
    private enum Item: Sendable {
        case update(LiveFeed.Update)
        case tick
    }

    /// A stream that is open, and for whom.
    private struct Watcher {
        let home: TenantID
        let tenant: TenantID
        let principal: PrincipalID
        let source: AsyncStream<Item>.Continuation
        var isDoubted = false
    }

    private struct Watchers {
        var next: UInt64 = 0
        var all: [UInt64: Watcher] = [:]
    }

    private let open = Mutex<[TenantID: Int]>([:])
    private let watchers = Mutex(Watchers())
    private let heartbeat: Duration
    private let clock = ContinuousClock()
    private let wallClock: WallClock

    /// Streams with a sign of life after each `heartbeat`.
    init(heartbeat: Duration = .seconds(NorthboundLimits.liveHeartbeatSeconds), clock: WallClock) {
        self.heartbeat = heartbeat
        wallClock = clock
    }

    /// The answer that streams those `updates` whose series `isWanted`, for as long as `recheck` does not throw.
    ///
    /// It is asked at every sign of life, at every ``doubt(_:of:)``, and when a right ends by itself: first at `until`,
    /// then when it said last.
    func answer(
        for principal: Principal, of tenant: TenantID, until: Timestamp?,
        isWanted: @escaping @Sendable (String) -> Bool,
        updates: @escaping @Sendable () -> AsyncStream<LiveFeed.Update>,
        recheck: @escaping @Sendable () async throws -> Timestamp?
    ) throws -> Answer {
        // Asked here as well, so that the refusal is a problem document and no broken stream.
        guard open.withLock({ $0[tenant, default: 0] < NorthboundLimits.liveStreamsPerTenant }) else {
            throw Self.tooMany
        }
        return .stream("text/event-stream") { writer in
            try self.enter(tenant)
            defer { self.leave(tenant) }
            try await self.send(for: principal, in: tenant, until, updates(), isWanted, recheck, to: writer)
        }
    }

    private static let tooMany = Refusal(
        .limited, "telemetry.tooManyStreams",
        "The tenant has \(NorthboundLimits.liveStreamsPerTenant) live streams open, the most it may. Close one first.",
        retryAfter: .seconds(10))

    private func enter(_ tenant: TenantID) throws {
        try open.withLock { open in
            guard open[tenant, default: 0] < NorthboundLimits.liveStreamsPerTenant else { throw Self.tooMany }
            open[tenant, default: 0] += 1
        }
    }

    private func leave(_ tenant: TenantID) {
        open.withLock { open in
            let count = open[tenant, default: 1] - 1
            open[tenant] = count > 0 ? count : nil
        }
    }

    /// Has the streams of a principal of this tenant, or of everybody of it, ask at once whether they still may.
    func doubt(_ principal: PrincipalID?, of home: TenantID) {
        watchers.withLock { watchers in
            for (number, watcher) in watchers.all
            where (watcher.home == home || watcher.tenant == home)
                && (principal == nil || watcher.principal == principal)
            {
                watchers.all[number]?.isDoubted = true
                // Wakes the stream; it may be dropped for newer items, which wake it as well.
                watcher.source.yield(.tick)
            }
        }
    }

    private func takeDoubt(_ number: UInt64) -> Bool {
        watchers.withLock { watchers in
            defer { watchers.all[number]?.isDoubted = false }
            return watchers.all[number]?.isDoubted == true
        }
    }

    private func watch(_ source: AsyncStream<Item>.Continuation, for principal: Principal, in tenant: TenantID)
        -> UInt64
    {
        watchers.withLock { watchers in
            watchers.next += 1
            watchers.all[watchers.next] = Watcher(
                home: principal.tenant, tenant: tenant, principal: principal.id, source: source)
            return watchers.next
        }
    }

    private func send(
        for principal: Principal, in tenant: TenantID, _ until: Timestamp?, _ updates: AsyncStream<LiveFeed.Update>,
        _ isWanted: @escaping @Sendable (String) -> Bool, _ recheck: @Sendable () async throws -> Timestamp?,
        to writer: BodyWriter
    ) async throws {
        let (items, source) = AsyncStream.makeStream(
            of: Item.self, bufferingPolicy: .bufferingNewest(NorthboundLimits.liveBuffer))
        let number = watch(source, for: principal, in: tenant)
        defer { watchers.withLock { $0.all[number] = nil } }
        // Both end with this scope: nothing may wait for a feed that goes on as long as the server.
        async let _ = tick(source)
        async let _ = pass(updates, isWanted, to: source)
        try await writer.write("retry: 3000\n: open\n\n")
        var (checked, holdsUntil) = (clock.now, until)
        for await item in items {
            let now = clock.now
            let isChecked =
                takeDoubt(number) || now - checked >= heartbeat
                || holdsUntil.map({ $0 <= wallClock.now }) ?? false
            if isChecked {
                checked = now
                do {
                    holdsUntil = try await recheck()
                } catch {
                    try await writer.write("event: end\ndata: {\"code\":\"not.found\"}\n\n")
                    return
                }
            }
            switch item {
            case .tick:
                if isChecked { try await writer.write(": alive\n\n") }
            case .update(let update): try await writer.write(Self.event(update))
            }
        }
    }

    /// Wakes the stream once a second, for rights that end and signs of life. The end of the server is the end of the
    /// stream, so that a shutdown never waits for it.
    private func tick(_ source: AsyncStream<Item>.Continuation) async {
        let pause = min(heartbeat, .seconds(1))
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: pause)) != nil { source.yield(.tick) }
        }
        source.finish()
    }

    private func pass(
        _ updates: AsyncStream<LiveFeed.Update>, _ isWanted: @Sendable (String) -> Bool,
        to source: AsyncStream<Item>.Continuation
    ) async {
        for await update in updates where isWanted(update.series) {
            source.yield(.update(update))
        }
        source.finish()
    }

    /// One value as an event; its data is one line, so nothing needs splitting.
    static func event(_ update: LiveFeed.Update) -> String {
        "event: value\ndata: {\"series\":\(JSONValue.string(update.series).canonical),"
            + "\"unit\":\(JSONValue.string(update.unit ?? "").canonical),"
            + "\"time\":\(update.time.milliseconds),\"value\":\(update.value)}\n\n"
    }
}
