import Hummingbird
import NIOCore

/// Takes the parts of an answer that is made while it is sent; a write returns when there is room for the next.
///
/// `@unchecked Sendable`: the library's writer is not, but it is handed to one body only, which writes its parts one
/// after the other. A copy is as good as the original, because the state is the connection's.
public struct BodyWriter: @unchecked Sendable {
    private let writer: any ResponseBodyWriter

    init(_ writer: any ResponseBodyWriter) {
        self.writer = writer
    }

    /// Sends bytes.
    @concurrent
    public func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        var writer = writer
        try await writer.write(ByteBuffer(bytes: bytes))
    }

    /// Sends text.
    public func write(_ text: String) async throws { try await write(Array(text.utf8)) }
}
