public import Base
import HTTPTypes

/// A refusal as the problem document of RFC 9457.
public struct Problem: Sendable {
    /// The media type.
    public static let mediaType = "application/problem+json"

    /// What was refused and why.
    public let refusal: Refusal
    /// The request's identifier.
    public let request: String

    /// The HTTP status.
    let status: HTTPResponse.Status

    /// The document about one request; `status` only where the refusal's kind does not say it all.
    init(_ refusal: Refusal, request: String, status: HTTPResponse.Status? = nil) {
        self.refusal = refusal
        self.request = request
        // A key used for two different requests has a status of its own in the draft of the header field.
        self.status = status ?? (refusal == Repetitions.keyReused ? .unprocessableContent : refusal.kind.status)
    }

    var value: JSONValue {
        var members: [String: JSONValue] = [
            "type": .string(refusal.problemType),
            "title": .string(status.reasonPhrase),
            "status": .integer(Int64(status.code)),
            "code": .string(refusal.code),
            "detail": .string(refusal.message),
            "instance": .string("urn:tidegate:request:" + request),
        ]
        if !refusal.faults.isEmpty {
            members["faults"] = .array(
                refusal.faults.map { ["place": .string($0.place), "message": .string($0.message)] })
        }
        return .object(members)
    }

    var headers: HTTPFields {
        var headers: HTTPFields = [:]
        if let delay = refusal.retryAfter {
            let seconds = (delay.microseconds + 999_999) / 1_000_000
            headers[.retryAfter] = String(max(seconds, 1))
        }
        if refusal.kind == .unauthenticated { headers[.wwwAuthenticate] = "Bearer" }
        return headers
    }

    static let shape = Shape.named(
        "Problem",
        .object([
            .required("type", .text, "A URN made of the code."),
            .required("title", .text, "The status in words."),
            .required("status", .integer(400...599), "The HTTP status."),
            .required("code", .text, "A stable code for programs."),
            .required("detail", .text, "What happened and what to do."),
            .required("instance", .text, "A URN made of the request's identifier, to be found in the server's log."),
            .optional(
                "faults",
                .array(
                    of: .object([
                        .required(
                            "place", .text, "A JSON pointer into the body, a parameter's name, or a line's number."),
                        .required("message", .text, "What is wrong there."),
                    ]), atMost: 1000),
                "Every wrong place in the request."),
        ]))
}
