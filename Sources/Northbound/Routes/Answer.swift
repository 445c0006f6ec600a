public import Base
public import HTTPTypes
public import Hummingbird
import NIOCore

/// What a handler answers with, before it becomes an HTTP response.
public struct Answer: Sendable {
    /// What follows the header.
    public enum Content: Sendable {
        /// Nothing.
        case none
        /// A JSON value.
        case json(JSONValue)
        /// Bytes of a media type.
        case bytes([UInt8], mediaType: String)
        /// Bytes that are made while they are sent, of a media type.
        case stream(ResponseBody, mediaType: String)
    }

    /// The status.
    public var status: HTTPResponse.Status
    /// More header fields.
    public var headers: HTTPFields
    /// The content.
    public var content: Content

    /// An answer with this status and content.
    public init(_ status: HTTPResponse.Status, _ content: Content = .none, headers: HTTPFields = [:]) {
        self.status = status
        self.content = content
        self.headers = headers
    }

    /// 200 with a JSON value.
    public static func ok(_ value: JSONValue) -> Answer { Answer(.ok, .json(value)) }

    /// 201 with the new object and its address.
    public static func created(_ value: JSONValue, at location: String) -> Answer {
        Answer(.created, .json(value), headers: [.location: location])
    }

    /// 204.
    public static let done = Answer(.noContent)

    /// 200 with a page of a list; `next` is the cursor of the page after it, if there is one.
    public static func page(_ items: [JSONValue], next: String?) -> Answer {
        .ok(["items": .array(items), "next": next.map { .string($0) } ?? .null])
    }

    /// CSV whose first line names the columns (RFC 4180).
    package static let csv = "text/csv; charset=utf-8; header=present"

    /// The same as a file, which a browser saves under this name (RFC 6266).
    package func saved(as name: String) -> Answer {
        var answer = self
        answer.headers[.contentDisposition] = "attachment; filename=\"\(name)\""
        return answer
    }

    /// 200 with content that is made while it is sent.
    public static func stream(
        _ mediaType: String, _ write: @escaping @Sendable (BodyWriter) async throws -> Void
    ) -> Answer {
        let body = ResponseBody { writer in
            try await write(BodyWriter(writer))
            try await writer.finish(nil)
        }
        return Answer(.ok, .stream(body, mediaType: mediaType))
    }
}
