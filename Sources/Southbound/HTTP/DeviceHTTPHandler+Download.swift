import Base
import Blobs
import Fleet
import NIOCore
import NIOPosix

/// What is being sent after the head of an answer.
struct Download {
    let content: StreamedContent
    var cursor: ContentCursor
    /// Whether the connection ends with it.
    var closes: Bool
    /// Whether a piece is on its way from the disk.
    var isReading = false

    init(_ content: StreamedContent, closes: Bool) {
        self.content = content
        self.closes = closes
        cursor = ContentCursor(content.pieces)
    }
}

/// Downloads: one piece is read from the disk while the one before is on its way, and none while the peer does not
/// take what it got, so that each costs a piece of memory however slow it is.
extension DeviceHTTPHandler {
    func begin(_ download: Download) {
        self.download = download
        connection.setDeadline(in: service.limits.downloadStallTime)
        pump()
    }

    /// Sends what can be sent now.
    func pump() {
        while let download, !download.isReading, let context, context.channel.isWritable {
            switch download.cursor.next(most: Limits.downloadBytes) {
            case .bytes(let bytes): send(ByteBuffer(bytes: bytes))
            case .read(let offset, let count): read(count, at: offset, download.content)
            case nil:
                self.download = nil
                return downloadEnded(closes: download.closes)
            }
        }
    }

    /// Fetches a piece from the disk, when the tenant's rate has room for it.
    private func read(_ count: Int, at offset: Int64, _ content: StreamedContent) {
        // Who loses its access gets no further byte, and this may be the only look at it for an hour.
        guard service.directory.isAdmitted(content.device) else { return connection.cut() }
        download?.isReading = true
        let wait = content.pace(count)
        guard wait > .zero else { return fetch(count, at: offset, content) }
        content.place.wait()
        connection.setDeadline(in: service.limits.downloadStallTime + wait)
        loop.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(wait)) { self.goOn(count, at: offset, content) }
    }

    /// Fetches a piece whose time has come, when there is a place for the download.
    private func goOn(_ count: Int, at offset: Int64, _ content: StreamedContent) {
        guard download != nil else { return }
        guard !content.place.goOn() else { return fetch(count, at: offset, content) }
        connection.setDeadline(in: service.limits.downloadStallTime)
        let pause = TimeAmount.milliseconds(.random(in: 20...200))
        loop.eventLoop.assumeIsolated().scheduleTask(in: pause) { self.goOn(count, at: offset, content) }
    }

    private func fetch(_ count: Int, at offset: Int64, _ content: StreamedContent) {
        guard download != nil, let context else { return }
        let allocator = context.channel.allocator
        NIOThreadPool.singleton.runIfActive(eventLoop: loop.eventLoop) {
            var buffer = allocator.buffer(capacity: count)
            _ = try content.blob.read(count, at: offset, into: &buffer)
            return buffer
        }.assumeIsolated().whenComplete { result in
            guard self.download != nil else { return }
            self.download?.isReading = false
            // A file that is shorter than it was, or can not be read: the length was promised, so only the end of the
            // connection tells.
            guard case .success(let buffer) = result, buffer.readableBytes > 0 else {
                self.service.counters.brokenDownloads.add()
                return self.connection.cut()
            }
            self.send(buffer)
            self.pump()
        }
    }

    private func send(_ buffer: ByteBuffer) {
        guard let context, download?.cursor.advance(by: buffer.readableBytes) == true else { return connection.cut() }
        service.counters.downloadBytes.add(buffer.readableBytes)
        connection.setDeadline(in: service.limits.downloadStallTime)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }
}
