import Access
import Base
import Fleet
import HTTPTypes
import Telemetry

/// Readings: which there are, what they were, and what they are now.
extension RouteTable {
    static func telemetry(_ services: NorthboundServices) -> [Route] {
        let reader = services.telemetry.reader
        let device = "/api/v1/tenants/{tenant}/devices/{device}"
        let series = Parameter.query(
            "series",
            .array(of: .text(.free(atMost: FleetLimits.seriesNameBytes)), atMost: NorthboundLimits.querySeries),
            "Names of series, with commas between; all when left out.")
        return [
            Route(
                .get, device + "/series", "listSeries", "Lists the series that a device has reported.",
                needs: .telemetryRead, query: Parameter.paging, success: .page(.series)
            ) { call in
                let found = try await services.readable(call)
                let infos = try await reader.series(tenant: call.tenant.id, device: found.device.id)
                return try call.page(
                    infos.filter { found.allows($0.name) }.map { info in
                        (info.name, ["name": .string(info.name), "unit": .string(info.unit ?? "")])
                    }, .series)
            },
            Route(
                .get, device + "/telemetry", "queryTelemetry",
                "Answers with a device's readings as they are, or summarised by steps.", needs: .telemetryRead,
                query: [
                    series,
                    .query("from", .time, "From this moment on.", required: true),
                    .query("to", .time, "Until before this moment; now when left out."),
                    .query(
                        "step", .text(.duration),
                        "The length of a step, such as 15m; steps begin at whole multiples since 1970."),
                    .query(
                        "aggregate",
                        .array(of: .choice(Aggregate.allCases.map(\.rawValue)), atMost: Aggregate.allCases.count),
                        "What each step says, with commas between; mean when left out."),
                    .query(
                        "format", .choice(["json", "csv"]),
                        "The form of the answer, when the Accept field does not say it."),
                ], success: .jsonOr(.telemetry, ["text/csv"])
            ) { call in
                let found = try await services.readable(call)
                return try await TelemetryAnswer(call, found, reader, now: services.clock.now).answer
            },
            Route(
                .get, device + "/telemetry/live", "watchTelemetry",
                "Streams a device's readings as they become durable, as server-sent events named `value`.",
                needs: .telemetryRead, query: [series], success: .streamed(["text/event-stream"])
            ) { call in
                let found = try await services.readable(call)
                let live = services.telemetry.live
                let wanted = Set(call.query.texts("series"))
                return try services.liveStreams.answer(
                    for: call.principal, of: call.tenant.id, until: try await services.rightsEnd(call),
                    isWanted: { found.allows($0) && (wanted.isEmpty || wanted.contains($0)) },
                    updates: { live.updates(tenant: call.tenant.id, device: found.device.id) },
                    recheck: { try await services.recheck(call, found) })
            },
        ]
    }
}

extension Shape {
    static let series = Shape.named(
        "Series",
        .object([
            .required("name", .text, "The name."), .required("unit", .text, "The unit's symbol; empty when unknown."),
        ]))

    static let telemetry = Shape.named(
        "Telemetry",
        .object([
            .required(
                "series",
                .array(
                    of: .object([
                        .required("name", .text, "The series' name."),
                        .required("unit", .text, "The unit's symbol; empty when unknown."),
                        .optional(
                            "aggregates", .array(of: .text, atMost: 16), "What the values of a point are, with steps."),
                        .required(
                            "points", .array(of: .array(of: .nullable(.number), atMost: 16), atMost: Int(Int32.max)),
                            "Points: milliseconds since 1970, then the value, or a value for each aggregate."),
                    ]), atMost: NorthboundLimits.querySeries), "The series in the order asked for.")
        ]))
}

/// The answer to one query of telemetry.
private struct TelemetryAnswer {
    private let query: PointQuery
    private let infos: [SeriesInfo]
    private let form: TelemetryText.Form
    private let reader: TelemetryReader
    private let found: ReadableDevice

    init(_ call: Call, _ found: ReadableDevice, _ reader: TelemetryReader, now: Timestamp) async throws {
        let from = try call.query.time("from")
        let to = try call.query.timeIfAny("to") ?? now
        guard from < to else { throw call.query.fault("from", "must be before to") }
        let step = try call.query.textIfAny("step").map { text in
            guard let step = StepLength(text) else { throw call.query.fault("step", "must be a length such as 15m") }
            return step.duration
        }
        var aggregates = call.query.texts("aggregate").compactMap(Aggregate.init(rawValue:))
        if step == nil, !aggregates.isEmpty { throw call.query.fault("aggregate", "needs a step") }
        if step != nil, aggregates.isEmpty { aggregates = [.mean] }
        if let step, (to - from).microseconds / max(step.microseconds, 1) > NorthboundLimits.querySteps {
            throw call.query.fault("step", "makes more than \(NorthboundLimits.querySteps) steps; choose a longer one")
        }
        let known = try await reader.series(tenant: call.tenant.id, device: found.device.id)
            .filter { found.allows($0.name) }
        let names = call.query.texts("series")
        guard Set(names).count == names.count else { throw call.query.fault("series", "names one twice") }
        infos =
            names.isEmpty
            ? Array(known.prefix(NorthboundLimits.querySeries))
            : names.map { name in known.first { $0.name == name } ?? SeriesInfo(name: name, unit: nil) }
        query = PointQuery(
            tenant: call.tenant.id, device: found.device.id, series: [], from: from, to: to, step: step,
            aggregates: aggregates)
        form = call.input.prefers("csv", "text/csv") ? .csv : .json
        self.reader = reader
        self.found = found
    }

    var answer: Answer {
        let aggregates = query.step == nil ? [] : query.aggregates
        return .stream(form == .csv ? Answer.csv : "application/json") { writer in
            var text = TelemetryText(form, aggregates)
            try await writer.write(text.begin())
            for info in infos {
                try await writer.write(text.beginSeries(info.name, unit: info.unit ?? ""))
                var query = query
                query.series = [info.name]
                // A series that is not for the reader is as empty as one that nobody reports.
                if found.allows(info.name) {
                    for try await page in reader.points(query) { try await writer.write(text.page(page.columns)) }
                }
                try await writer.write(text.endSeries())
            }
            try await writer.write(text.end())
        }
    }
}
