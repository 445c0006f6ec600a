import Base
import HTTPTypes
import Hummingbird
import NIOCore

/// Turns the raw parts of a request into checked values, or refuses with every wrong place.
enum RequestReader {
    /// The path's parameters. One of a wrong form can not name anything, so the answer is the one for absent things.
    static func path(_ route: Route, _ parameters: Parameters) throws -> Fields {
        var values: [String: JSONValue] = [:]
        for name in route.pathParameters {
            guard let parameter = RouteTable.pathParameter(name),
                let text = parameters.get(name).flatMap({ String(percentDecoding: $0) }),
                parameter.shape.faults(in: .string(text)).isEmpty
            else { throw Gatekeeper.notHere }
            values[name] = .string(text)
        }
        return Fields(values)
    }

    /// The query's parameters, each checked, unknown ones refused with the nearest known.
    static func query(_ route: Route, _ text: String?) throws -> Fields {
        var values: [String: JSONValue] = [:]
        var faults: [Refusal.Fault] = []
        for pair in (text ?? "").split(separator: "&") where faults.count < NorthboundLimits.faults {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = String(percentDecoding: parts[0], plusIsSpace: true) else {
                faults.append(.init(place: String(parts[0].prefix(100)), message: "is not well percent-encoded UTF-8"))
                continue
            }
            guard let parameter = route.query.first(where: { $0.name == name }) else {
                let hint = route.query.map(\.name).nearest(to: name).map { "; did you mean \($0)?" } ?? ""
                faults.append(.init(place: String(name.prefix(100)), message: "is not known here" + hint))
                continue
            }
            guard values[name] == nil else {
                faults.append(.init(place: name, message: "is there twice"))
                continue
            }
            guard let json = Parameter.value(encoded: parts.count > 1 ? parts[1] : "", as: parameter.shape) else {
                faults.append(.init(place: name, message: "is not well percent-encoded UTF-8"))
                continue
            }
            values[name] = json
            for fault in parameter.shape.faults(in: json) { faults.append(.init(place: name, message: fault.message)) }
        }
        for parameter in route.query where parameter.isRequired && values[parameter.name] == nil {
            faults.append(.init(place: parameter.name, message: "is missing"))
        }
        guard faults.isEmpty else { throw refusal(faults) }
        return Fields(values)
    }

    /// The bytes of a body that is read whole.
    static func collect(_ request: Request) async throws -> ByteBuffer {
        let tooLarge = Refusal(
            .tooLarge, "request.tooLarge",
            "The body is larger than \(NorthboundLimits.bodyBytes) bytes. Send less, or use a streamed upload.")
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > NorthboundLimits.bodyBytes {
            throw tooLarge
        }
        do {
            return try await request.body.collect(upTo: NorthboundLimits.bodyBytes)
        } catch is NIOTooManyBytesError {
            throw tooLarge
        }
    }

    /// The members of a JSON body, checked against the route's shape.
    static func json(_ bytes: ByteBuffer, _ shape: Shape, mediaType: String?) throws -> Fields {
        if let mediaType {
            let essence = mediaType.prefix { $0 != ";" && $0 != " " }.lowercased()
            guard essence == "application/json" || essence.hasSuffix("+json") else {
                throw Refusal(
                    .invalid, "request.mediaType", "The body is \(essence); send application/json.")
            }
        }
        let value: JSONValue
        do {
            let limits = JSONLimits(bytes: NorthboundLimits.bodyBytes, depth: NorthboundLimits.jsonDepth)
            // An empty body stands for an object without members, so that optional bodies need not be sent.
            value =
                try bytes.readableBytes == 0 ? [:] : JSONValue(parsing: Array(bytes.readableBytesView), limits: limits)
        } catch {
            throw Refusal(
                .invalid, "request.invalid", "The body is not JSON: \(error.message), at byte \(error.offset).",
                faults: [.init(place: error.pointer, message: error.message)])
        }
        let faults = shape.faults(in: value)
        guard faults.isEmpty else { throw refusal(faults) }
        return Fields(object: value)
    }

    static func refusal(_ faults: [Refusal.Fault]) -> Refusal {
        let first = faults.first.map { "\($0.place.isEmpty ? "The body" : $0.place) \($0.message)" } ?? ""
        let more = faults.count > 1 ? ", and \(faults.count - 1) more" : ""
        return Refusal(
            .invalid, "request.invalid", "The request is wrong: \(first)\(more).",
            faults: Array(faults.prefix(NorthboundLimits.faults)))
    }
}
