import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Southbound

@Suite("Decoder of requests")
struct RequestDecoderTests {
    @Test(
        "what follows a request for another protocol is not kept without end",
        arguments: [
            "GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
            "CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n",
        ])
    func other(head: String) throws {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(HandshakeHandler.httpDecoder())
        try channel.writeInbound(ByteBuffer(string: head))
        let piece = ByteBuffer(repeating: 0, count: 16 * 1024)
        var kept = 0
        #expect(throws: ByteToMessageDecoderError.PayloadTooLargeError.self) {
            for _ in 0..<64 {
                try channel.writeInbound(piece)
                kept += piece.readableBytes
            }
        }
        #expect(kept <= Limits.undecodedBytes)
        _ = try? channel.finish()
    }

    @Test("the largest head and a long body behind it are no such thing")
    func large() throws {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(HandshakeHandler.httpDecoder())
        let fields = (0..<7).map { "x-\($0): \(String(repeating: "y", count: 2000))\r\n" }.joined()
        try channel.writeInbound(
            ByteBuffer(string: "POST / HTTP/1.1\r\nhost: x\r\n\(fields)content-length: 1048576\r\n\r\n"))
        let piece = ByteBuffer(repeating: 0, count: 16 * 1024)
        for _ in 0..<64 { try channel.writeInbound(piece) }
        var (count, hasEnded) = (0, false)
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head: break
            case .body(let bytes): count += bytes.readableBytes
            case .end: hasEnded = true
            }
        }
        #expect(count == 1 << 20 && hasEnded)
        _ = try channel.finish()
    }
}
