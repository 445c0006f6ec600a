import Base
import HTTPTypes

@testable import Fleet
@testable import Northbound

extension Probe {
    /// The query of a request, every sort of parameter in it.
    public static func query(_ bytes: [UInt8]) throws {
        let text = String(decoding: bytes, as: UTF8.self)
        do {
            let fields = try RequestReader.query(route, text)
            for parameter in route.query {
                guard let value = fields.value(parameter.name) else { continue }
                try check(parameter.shape.faults(in: value).isEmpty, "what is read has the promised shape")
            }
            if let step = fields.textIfAny("step") { try check(StepLength(step) != nil, "a step is a length of time") }
            if fields.contains("from") { _ = try fields.time("from") }
        } catch let refusal as Refusal {
            try check(refusal.code == "request.invalid", "a query is refused with its own code: \(refusal)")
            try check((1...NorthboundLimits.faults).contains(refusal.faults.count), "faults are named, not too many")
        }
        if let plain = String(percentDecoding: text) {
            let encoded = plain.utf8.map { "%" + [$0].hex }.joined()
            try check(String(percentDecoding: encoded) == plain, "percent signs hide every text alike")
        }
        _ = ListenerAddress(text)
    }

    private static let route = Route.authenticated(
        .get, "/api/v1/probe", "probe", "Probes.",
        query: Parameter.paging + [
            .query("from", .time, "A time."), .query("step", .text(.duration), "A step."),
            .query("series", .array(of: .text, atMost: 4), "Names."), .query("count", .boolean, "A truth."),
            .query("share", .number, "A number."), .query("kind", .choice(["a", "b"]), "A word."),
            .query("domain", .identifier, "An identifier."), .query("tenant", .text(.slug), "A slug."),
        ], success: .nothing
    ) { _ in .done }

    /// A JSON text: refused at a place within it, or a value whose canonical text says the same.
    public static func json(_ bytes: [UInt8]) throws {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes, limits: JSONLimits(bytes: 4096, depth: 8))
        } catch {
            return try check((0...bytes.count).contains(error.offset), "a fault lies within the text")
        }
        let canonical = value.canonical
        let again = try? JSONValue(parsing: Array(canonical.utf8), limits: JSONLimits(bytes: 1 << 20, depth: 8))
        try check(again == value, "the canonical text says the same")
        try check(again?.canonical == canonical, "the canonical text is one")
        // What a person may send in it: a device, a model, a time.
        if let draft = try? DeviceDraft(json: value) {
            try check(draft.faults.isEmpty, "a draft that is read is sound")
        }
        if let model = try? ModelDocument(json: value) {
            try check((try? ModelDocument(json: model.json)) == model, "a model that is written again is the same")
        }
        if let text = value.string, let moment = Timestamp(rfc3339: text) { try time(moment) }
    }

    private static func time(_ moment: Timestamp) throws {
        let (year, month, day) = moment.date
        try check((1...12).contains(month) && (1...31).contains(day), "a moment is on a day of a month")
        guard (0...9999).contains(year) else { return }
        try check(Timestamp(rfc3339: moment.rfc3339) == moment, "a moment has one text")
    }
}
