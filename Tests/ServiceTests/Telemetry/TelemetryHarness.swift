import Base
import Foundation
import Logging
import NIOCore
import NIOPosix
import Storage
import Synchronization

@testable import Telemetry

/// Telemetry on a real disk and database, with a clock that the test sets.
struct TelemetryHarness: Sendable {
    let telemetry: Telemetry
    let appender: LoopAppender
    let now: TestTime
    let tenant = TenantID(high: 1, low: 2)
    let device = DeviceID(high: 3, low: 4)

    /// A settable time of day.
    final class TestTime: Sendable {
        private let value: Mutex<Timestamp>
        init(_ start: Timestamp) { value = Mutex(start) }
        var clock: WallClock { WallClock { self.value.withLock { $0 } } }
        func set(_ moment: Timestamp) { value.withLock { $0 = moment } }
        var now: Timestamp { value.withLock { $0 } }
    }

    /// Noon of a fixed day.
    static let noon = Timestamp(rfc3339: "2026-03-01T12:00:00Z") ?? Timestamp(microseconds: 0)

    /// Opens telemetry on `directory` and `database`, as a process does that starts.
    static func open(directory: String, database: Database, now: TestTime) async throws -> TelemetryHarness {
        let telemetry = Telemetry(
            database: database, directory: directory, retention: .init(raw: .seconds(3650 * 86_400)), clock: now.clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await telemetry.open()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        return TelemetryHarness(telemetry: telemetry, appender: telemetry.appender(for: loop), now: now)
    }

    /// What became of a payload.
    struct Outcome: Sendable {
        var values = 0
        var texts = 0
        var leftOut: Refusal?
    }

    /// Sends one payload and returns when it is acknowledged.
    @discardableResult
    func report(
        _ payload: String, rules: SeriesRules = SeriesRules(), device: DeviceID? = nil
    ) async throws -> Outcome {
        let (telemetry, appender, tenant) = (telemetry, appender, tenant)
        let device = device ?? self.device
        return try await appender.eventLoop.flatSubmit {
            let promise = appender.eventLoop.makePromise(of: Void.self)
            var outcome = Outcome()
            do {
                let lane = telemetry.lane(tenant: tenant, rules: rules, appender: appender)
                let ingest = telemetry.ingest(device, on: lane)
                let accepted = try ingest.accept(ByteBuffer(string: payload))
                outcome = Outcome(
                    values: accepted.values, texts: accepted.texts,
                    leftOut: accepted.texts > 0 ? ingest.leftOut : nil)
                appender.notify(Waiter(promise))
            } catch {
                promise.fail(error)
            }
            let told = outcome
            return promise.futureResult.map { told }
        }.get()
    }

    /// The points of a series as `time: value` text.
    func points(
        _ series: String, from: Timestamp = Timestamp(microseconds: 0),
        to: Timestamp = Timestamp(microseconds: 4_000_000_000_000_000), step: Duration? = nil,
        aggregates: [Aggregate] = [.mean]
    ) async throws -> [String] {
        var found: [String] = []
        let query = PointQuery(
            tenant: tenant, device: device, series: [series], from: from, to: to, step: step, aggregates: aggregates)
        for try await page in telemetry.reader.points(query) {
            for column in page.columns {
                for (time, value) in zip(column.times, column.values) { found.append("\(time): \(value)") }
            }
        }
        return found
    }

    private final class Waiter: DurabilityWaiter {
        let promise: EventLoopPromise<Void>
        init(_ promise: EventLoopPromise<Void>) { self.promise = promise }
        func durable(through ticket: UInt64) { promise.succeed() }
        func logFailed() { promise.fail(LogError(operation: "write", path: "", code: 5)) }
    }
}

/// A directory that goes with the test.
func withTemporaryDirectory<T>(_ body: (String) async throws -> T) async throws -> T {
    let path = FileManager.default.temporaryDirectory.appending(path: "tidegate-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

/// Random numbers that are the same in every run (SplitMix64).
struct TelemetryTestRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
