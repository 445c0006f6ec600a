import Base
public import Fleet
public import NIOCore
import Telemetry

/// Telemetry that comes over HTTP, on the same way to the log as MQTT's.
public struct HTTPTelemetry: Sendable {
    private let directory: DeviceDirectory
    private let doors: TelemetryDoors

    /// Telemetry over HTTP into these parts.
    public init(directory: DeviceDirectory, doors: TelemetryDoors) {
        self.directory = directory
        self.doors = doors
    }

    /// Takes one body; the future succeeds once it is durable or refused. Call it on the request's loop.
    public func take(_ request: TelemetryRequest) -> EventLoopFuture<TelemetryAnswer> {
        let promise = request.eventLoop.makePromise(of: TelemetryAnswer.self)
        do throws(Refusal) {
            try rate(of: request)
            let loop = doors.loop(request.eventLoop)
            let ingest = loop.ingest(for: request.device, model: directory.model(of: request.device))
            let waiter = try accept(request, by: ingest, promise)
            if let waiter { loop.appender.notify(waiter) }
        } catch {
            promise.succeed(.refused(error))
        }
        return promise.futureResult
    }

    private func rate(of request: TelemetryRequest) throws(Refusal) {
        guard let plan = directory.plan(of: request.device.tenant) else { return }
        let now = NIODeadline.now().uptimeNanoseconds
        let size = request.body.readableBytes
        if let wait = doors.rates.take(request.device.device, bytes: size, plan: plan, at: now) {
            throw Refusal(
                .limited, "telemetry.rate", "The device's rate is exceeded; send again later.", retryAfter: wait)
        }
        let gate = doors.gates.gate(of: request.device.tenant, plan: plan)
        if let wait = gate.take(messages: 1, bytes: size, at: now) {
            throw Refusal(
                .limited, "telemetry.rate", "The tenant's rate is exceeded; send again later.", retryAfter: wait)
        }
    }

    /// Appends what is acceptable; nil when the answer is given already because nothing was.
    private func accept(
        _ request: TelemetryRequest, by ingest: DeviceIngest, _ promise: EventLoopPromise<TelemetryAnswer>
    ) throws(Refusal) -> Waiter? {
        let (format, isLines) = try Self.format(of: request.contentType)
        // Compressed bodies tell so by their own first bytes, as over MQTT; another encoding would be taken for readings.
        guard ["", "identity", "gzip", "x-gzip"].contains(request.contentEncoding?.lowercased() ?? "") else {
            throw Refusal(
                .invalid, "telemetry.contentEncoding", "Send the body as it is, or with Content-Encoding: gzip.")
        }
        guard isLines else {
            let accepted = try ingest.accept(request.body, as: format)
            if accepted.texts == 0 { return Waiter(promise, .accepted) }
            return Waiter(promise, .withoutTexts(accepted: accepted.values, ingest.leftOut))
        }
        let result = try ingest.acceptLines(request.body, as: format)
        guard var refusal = result.refused.first else {
            let texts = result.accepted?.texts ?? 0
            return Waiter(promise, texts == 0 ? .accepted : .withoutTexts(accepted: result.lines, ingest.leftOut))
        }
        refusal.faults = result.refused.prefix(Self.reportedFaults).flatMap(\.faults)
        refusal.message = "\(result.refused.count) lines were refused, \(result.lines) accepted"
        guard let accepted = result.accepted else { throw refusal }
        if accepted.texts > 0 { refusal.faults += ingest.leftOut.faults }
        return Waiter(promise, .partly(accepted: result.lines, refusal))
    }

    /// The most refused lines that an answer lists.
    private static let reportedFaults = 100

    private static func format(of contentType: String?) throws(Refusal) -> (TelemetryFormat?, isLines: Bool) {
        let type = contentType?.split(separator: ";").first?.trimmingPrefix(" ").lowercased()
        switch type {
        case nil, "", "application/json", "application/octet-stream", "application/x-www-form-urlencoded":
            return (nil, false)
        case "application/senml+json": return (.senMLJSON, false)
        case "application/senml+cbor", "application/cbor": return (.senMLCBOR, false)
        case "application/x-ndjson", "application/ndjson", "application/jsonl": return (nil, true)
        default:
            throw Refusal(
                .invalid, "telemetry.contentType",
                "Send application/json, application/senml+json, application/senml+cbor or application/x-ndjson.")
        }
    }

    private final class Waiter: DurabilityWaiter {
        private let promise: EventLoopPromise<TelemetryAnswer>
        private let answer: TelemetryAnswer

        init(_ promise: EventLoopPromise<TelemetryAnswer>, _ answer: TelemetryAnswer) {
            self.promise = promise
            self.answer = answer
        }

        func durable(through ticket: UInt64) { promise.succeed(answer) }

        func logFailed() {
            promise.succeed(.refused(Refusal(.unavailable, "telemetry.log", "The server can not store readings now.")))
        }
    }
}
