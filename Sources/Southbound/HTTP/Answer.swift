import Base
import NIOCore

/// What is sent back for one request: always with a length, and in one piece unless it is too large for memory.
struct Answer: Sendable {
    var status: Status
    var contentType: String?
    /// Further header lines, each with its line end.
    var headers: String = ""
    var body: [UInt8] = []
    /// What follows in place of the body, bit by bit.
    var content: StreamedContent?
    /// The length of what a request for more than the head would have got, when this is an answer to `HEAD`.
    var announcedLength: Int64?
    /// The code of the refusal that this is, for who counts them; nil when it says no more than its status.
    var code: String?
    /// Whether the connection ends with this answer, whatever the client asked for.
    var closes = false

    /// The codes that the device side uses.
    enum Status: Int, Hashable, Sendable {
        case ok = 200
        case created = 201
        case noContent = 204
        case partialContent = 206
        case notModified = 304
        case badRequest = 400
        case unauthorized = 401
        case forbidden = 403
        case notFound = 404
        case methodNotAllowed = 405
        case notAcceptable = 406
        case requestTimeout = 408
        case conflict = 409
        case gone = 410
        case preconditionFailed = 412
        case contentTooLarge = 413
        case unsupportedMediaType = 415
        case rangeNotSatisfiable = 416
        case expectationFailed = 417
        case unprocessableContent = 422
        case tooManyRequests = 429
        case headerFieldsTooLarge = 431
        case serviceUnavailable = 503

        var phrase: String {
            switch self {
            case .ok: "OK"
            case .created: "Created"
            case .noContent: "No Content"
            case .partialContent: "Partial Content"
            case .notModified: "Not Modified"
            case .badRequest: "Bad Request"
            case .unauthorized: "Unauthorized"
            case .forbidden: "Forbidden"
            case .notFound: "Not Found"
            case .methodNotAllowed: "Method Not Allowed"
            case .notAcceptable: "Not Acceptable"
            case .requestTimeout: "Request Timeout"
            case .conflict: "Conflict"
            case .gone: "Gone"
            case .preconditionFailed: "Precondition Failed"
            case .contentTooLarge: "Content Too Large"
            case .unsupportedMediaType: "Unsupported Media Type"
            case .rangeNotSatisfiable: "Range Not Satisfiable"
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
    /// The server stops, and does no more.
    static let stopping = bare(.serviceUnavailable, closes: true)

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
            body: Array(JSONValue.object(document).canonical.utf8) + [UInt8(ascii: "\n")], code: refusal.code)
    }

    /// There is nothing under such a path, for whomever.
    static let noPath = problem(Refusal(.notFound, "device.path", "There is nothing under this path."))
    /// The body is larger than any that is taken there.
    static let tooLarge = problem(Refusal(.tooLarge, "device.body", "The body is too large."))

    /// The tenant has as many connections as its plan allows.
    static let tooManyConnections: Answer = {
        var answer = problem(
            Refusal(
                .limited, "device.connections", "Too many connections are open; try again later.",
                retryAfter: .seconds(30)))
        answer.closes = true
        return answer
    }()

    /// The path is there, but for this method only.
    static func notAllowed(but method: String) -> Answer {
        var answer = problem(
            Refusal(.invalid, "device.method", "Ask with \(method) here."), status: .methodNotAllowed)
        answer.headers += "Allow: \(method)\r\n"
        return answer
    }

    static func retryAfter(_ refusal: Refusal) -> String {
        guard let seconds = refusal.retryAfter.map({ ($0.microseconds + 999_999) / 1_000_000 }) else { return "" }
        return "Retry-After: \(max(seconds, 1))\r\n"
    }

    private static let problemType = "application/problem+json"

    /// The same answer to a request for its head alone.
    var headOnly: Answer {
        var answer = self
        answer.announcedLength = announcedLength ?? length
        answer.body = []
        answer.content = nil
        return answer
    }

    private var length: Int64 { announcedLength ?? content?.length ?? Int64(body.count) }

    /// Writes the answer as it goes over the wire, without what is streamed.
    ///
    /// Field names have their usual capitals: strongSwan's `pki` looks for `Content-Length` in no other spelling. Nothing
    /// is interpolated, because every poll of every device comes through here.
    func write(to buffer: inout ByteBuffer, date: [UInt8], closing: Bool) {
        buffer.reserveCapacity(minimumWritableBytes: 192 + headers.utf8.count + body.count)
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeDecimal(Int64(status.rawValue))
        buffer.writeStaticString(" ")
        buffer.writeString(status.phrase)
        buffer.writeStaticString("\r\nDate: ")
        buffer.writeBytes(date)
        if status != .noContent, status != .notModified {
            buffer.writeStaticString("\r\nContent-Length: ")
            buffer.writeDecimal(length)
        }
        if let contentType {
            buffer.writeStaticString("\r\nContent-Type: ")
            buffer.writeString(contentType)
        }
        buffer.writeStaticString("\r\n")
        buffer.writeString(headers)
        if closing { buffer.writeStaticString("Connection: close\r\n") }
        buffer.writeStaticString("\r\n")
        buffer.writeBytes(body)
    }
}

extension ByteBuffer {
    /// Writes the digits of a number that is not negative.
    fileprivate mutating func writeDecimal(_ number: Int64) {
        var divisor: Int64 = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            writeInteger(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
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
