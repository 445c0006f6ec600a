import Base
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import Northbound

extension NorthboundFixture {
    /// The header of an upload that begins.
    static func announcement(_ name: String, size: Int, sha256: String? = nil) -> HTTPFields {
        func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
        var metadata = "filename \(base64(name))"
        if let sha256 { metadata += ",sha256 \(base64(sha256))" }
        return [.tusResumable: "1.0.0", .uploadLength: "\(size)", .uploadMetadata: metadata]
    }

    /// Sends a part of an upload, in pieces as they come from a socket.
    func sendPart(
        _ path: String, _ bytes: [UInt8], at offset: Int, token: String? = nil, piece: Int = 70_000,
        headers: HTTPFields = [:], cutAfter cut: Int? = nil
    ) async throws -> Reply {
        var fields = headers
        if fields[.contentType] == nil { fields[.contentType] = "application/offset+octet-stream" }
        if fields[.uploadOffset] == nil { fields[.uploadOffset] = "\(offset)" }
        if let token { fields[.authorization] = "Bearer \(token)" }
        let body = AsyncStream<Result<ByteBuffer, CutConnection>> { stream in
            var rest = bytes[...]
            var sent = 0
            while !rest.isEmpty {
                if let cut, sent >= cut {
                    stream.yield(.failure(CutConnection()))
                    break
                }
                stream.yield(.success(ByteBuffer(bytes: rest.prefix(piece))))
                sent += rest.prefix(piece).count
                rest = rest.dropFirst(piece)
            }
            stream.finish()
        }
        let request = Request(
            head: HTTPRequest(method: .patch, scheme: "https", authority: "x", path: path, headerFields: fields),
            body: RequestBody(asyncSequence: body.map { try $0.get() }))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let context = CallContext(source: .init(channel: EmbeddedChannel(), logger: logger))
        let response = try await (token == nil ? admin : people).respond(to: request, context: context)
        let writer = KeepingWriter()
        try await response.body.write(writer)
        return Reply(status: response.status.code, headers: response.headers, text: writer.content)
    }

    /// Uploads a file in one part, and answers what is shown of it then, or the refusal.
    func upload(
        _ name: String, _ bytes: [UInt8], tenant: String = "acme", sha256: String? = nil, token: String? = nil
    ) async throws -> Reply {
        let begun = try await send(
            .post, "/api/v1/tenants/\(tenant)/artifacts", token: token,
            headers: Self.announcement(name, size: bytes.count, sha256: sha256))
        guard begun.status == 201, let path = begun.headers[.location] else { return begun }
        let sent = try await sendPart(path, bytes, at: 0, token: token)
        return sent.status == 204 ? try await send(.get, path, token: token) : sent
    }
}

/// What a body throws whose connection was cut.
struct CutConnection: Error {}
