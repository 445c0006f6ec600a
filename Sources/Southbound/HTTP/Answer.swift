import Base
import NIOCore

/// What is sent back for one request: always whole, always with a length.
struct Answer: Sendable {
    var status: Status
    var contentType: String?
    /// Further header lines, each with its line end.
    var headers: String = ""
    var body: [UInt8] = []
    /// Whether the connection ends with this answer, whatever the client asked for.
    var closes = false

    /// The codes that the device side uses.
    enum Status: Int, Hashable, Sendable {
        case ok = 200
        case noContent = 204
        case badRequest = 400
        case unauthorized = 401
        case forbidden = 403
        case notFound = 404
        case methodNotAllowed = 405
        case requestTimeout = 408
        case conflict = 409
        case contentTooLarge = 413
        case unsupportedMediaType = 415
        case expectationFailed = 417
        case unprocessableContent = 422
        case tooManyRequests = 429
        case headerFieldsTooLarge = 431
        case serviceUnavailable = 503

        var phrase: String {
            switch self {
            case .ok: "OK"
            case .noContent: "No Content"
            case .badRequest: "Bad Request"
            case .unauthorized: "Unauthorized"
            case .forbidden: "Forbidden"
            case .notFound: "Not Found"
            case .methodNotAllowed: "Method Not Allowed"
            case .requestTimeout: "Request Timeout"
            case .conflict: "Conflict"
            case .contentTooLarge: "Content Too Large"
            case .unsupportedMediaType: "Unsupported Media Type"
            case .expectationFailed: "Expectation Failed"
            case .unprocessableContent: "Unprocessable Content"
            case .tooManyRequests: "Too Many Requests"
            case .headerFieldsTooLarge: "Request Header Fields Too Large"
            case .serviceUnavailable: "Service Unavailable"
            }
        }
    }

    /// Done, and nothing to say.
    static let done = Answer(status: .noContent)

    /// A refusal that says no more than its status: all that a stranger gets.
    static func bare(_ status: Status, headers: String = "", closes: Bool = false) -> Answer {
        let text = "{\"title\":\"\(status.phrase)\",\"status\":\(status.rawValue)}\n"
        return Answer(
            status: status, contentType: problemType, headers: headers, body: Array(text.utf8), closes: closes)
    }

    /// A refusal as a problem document (RFC 9457), for a caller who may know why.
    static func problem(_ refusal: Refusal, status: Status? = nil, accepted: Int? = nil) -> Answer {
        let status = status ?? Status(refusal.kind)
        var document: [String: JSONValue] = [
            "type": .string(refusal.problemType), "title": .string(status.phrase),
            "status": .integer(Int64(status.rawValue)), "code": .string(refusal.code),
            "detail": .string(refusal.message),
        ]
        if let accepted { document["accepted"] = .integer(Int64(accepted)) }
        if !refusal.faults.isEmpty {
            document["faults"] = .array(
                refusal.faults.map { ["place": .string($0.place), "message": .string($0.message)] })
        }
        return Answer(
            status: status, contentType: problemType, headers: retryAfter(refusal),
            body: Array(JSONValue.object(document).canonical.utf8) + [UInt8(ascii: "\n")])
    }

    static func retryAfter(_ refusal: Refusal) -> String {
        guard let seconds = refusal.retryAfter.map({ ($0.microseconds + 999_999) / 1_000_000 }) else { return "" }
        return "Retry-After: \(max(seconds, 1))\r\n"
    }

    private static let problemType = "application/problem+json"

    /// Writes the answer as it goes over the wire.
    ///
    /// Field names have their usual capitals: strongSwan's `pki` looks for `Content-Length` in no other spelling.
    func write(to buffer: inout ByteBuffer, date: [UInt8], closing: Bool) {
        buffer.reserveCapacity(minimumWritableBytes: 160 + headers.utf8.count + body.count)
        buffer.writeString("HTTP/1.1 \(status.rawValue) \(status.phrase)\r\nDate: ")
        buffer.writeBytes(date)
        buffer.writeString("\r\n")
        if status != .noContent { buffer.writeString("Content-Length: \(body.count)\r\n") }
        if let contentType { buffer.writeString("Content-Type: \(contentType)\r\n") }
        buffer.writeString(headers)
        buffer.writeString(closing ? "Connection: close\r\n\r\n" : "\r\n")
        buffer.writeBytes(body)
    }
}

extension Answer.Status {
    /// The status that stands for a kind of refusal.
    init(_ kind: Refusal.Kind) {
        switch kind {
        case .invalid: self = .badRequest
        case .unauthenticated: self = .unauthorized
        case .forbidden: self = .forbidden
        case .notFound: self = .notFound
        case .conflict: self = .conflict
        case .tooLarge: self = .contentTooLarge
        case .limited: self = .tooManyRequests
        case .unavailable: self = .serviceUnavailable
        }
    }
}
