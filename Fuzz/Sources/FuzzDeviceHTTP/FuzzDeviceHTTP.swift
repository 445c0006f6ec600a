import NIOCore
import NIOEmbedded
@_spi(Fuzzing) import Southbound

/// What a stranger can send to the device listener after the handshake: requests whole, cut into pieces, pipelined,
/// broken. Every request that is understood is answered, answers are well-formed and in one piece, nothing is left over.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDeviceHTTP(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    // The first byte says how the others are cut.
    guard let first = bytes.first else { return 0 }
    let whole = answers(to: bytes.dropFirst(), piece: count)
    let cut = answers(to: bytes.dropFirst(), piece: Int(first % 16) + 1)
    let heads = occurrences(of: "HEAD ", in: bytes)
    check(whole, heads: heads)
    check(cut, heads: heads)
    return 0
}

private func answers(to bytes: Slice<UnsafeBufferPointer<UInt8>>, piece: Int) -> [UInt8] {
    guard let address = try? SocketAddress(ipAddress: "192.0.2.1", port: 1) else { preconditionFailure("an address") }
    let channel = EmbeddedChannel()
    guard let bench = try? DeviceHTTPBench(eventLoop: channel.eventLoop, address: address),
        (try? bench.install(on: channel)) != nil, (try? channel.connect(to: address).wait()) != nil
    else { preconditionFailure("the bench stands") }
    var rest = bytes
    while !rest.isEmpty, channel.isActive {
        try? channel.writeInbound(ByteBuffer(bytes: rest.prefix(piece)))
        rest = rest.dropFirst(piece)
    }
    bench.turnAway()
    var output: [UInt8] = []
    while let written = try? channel.readOutbound(as: ByteBuffer.self) { output += written.readableBytesView }
    _ = try? channel.finish(acceptAlreadyClosed: true)
    channel.embeddedEventLoop.run()
    precondition(bench.heldBytes == 0, "a body is still held")
    precondition(bench.openConnections == 0, "a connection is still counted")
    return output
}

/// The output is a row of answers, each with its length. Those to `HEAD`, of which there are at most so many, say the
/// length and have no body (RFC 9110, section 9.3.2).
private func check(_ output: [UInt8], heads: Int) {
    var (rest, heads) = (output[...], heads)
    while !rest.isEmpty {
        precondition(rest.starts(with: "HTTP/1.1 ".utf8), "no status line")
        guard let end = headEnd(rest) else { preconditionFailure("no end of the head") }
        let head = String(decoding: rest[..<end], as: UTF8.self)
        rest = rest[end...]
        let status = Int(head.dropFirst(9).prefix(3)) ?? 0
        guard status != 100, status != 204 else { continue }
        let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
            .flatMap { Int($0.dropFirst(16)) }
        guard let length else { preconditionFailure("no length") }
        if length > 0, rest.isEmpty || rest.starts(with: "HTTP/1.1 ".utf8) {
            precondition(heads > 0, "an answer without its body")
            heads -= 1
            continue
        }
        precondition(length <= rest.count, "a length that is wrong")
        rest = rest.dropFirst(length)
    }
}

/// How often the word stands behind the first byte, which is not sent.
private func occurrences(of word: String, in bytes: UnsafeBufferPointer<UInt8>) -> Int {
    bytes.indices.dropFirst().count { bytes[$0...].starts(with: word.utf8) }
}

private func headEnd(_ bytes: ArraySlice<UInt8>) -> Int? {
    let mark: [UInt8] = [13, 10, 13, 10]
    var index = bytes.startIndex
    while index + 4 <= bytes.endIndex {
        if bytes[index..<index + 4].elementsEqual(mark) { return index + 4 }
        index += 1
    }
    return nil
}
