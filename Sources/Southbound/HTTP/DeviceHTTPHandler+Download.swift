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
    /// Bytes that were taken of the tenant's rate and have not gone out.
    var paced = 0
    /// When it got the place that it has.
    var turnBegan = NIODeadline.now()

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
                endDownload()
                return downloadEnded(closes: download.closes)
            }
        }
    }

    /// Fetches a piece from the disk, when the tenant's rate has room for it and its turn has come.
    private func read(_ count: Int, at offset: Int64, _ content: StreamedContent) {
        // Who loses its access gets no further byte, and this may be the only look at it for an hour.
        guard service.directory.isAdmitted(content.device) else { return connection.cut() }
        download?.isReading = true
        guard let wait = content.pace(count) else {
            content.place.rest()
            connection.setDeadline(in: service.limits.downloadStallTime)
            return later(.milliseconds(.random(in: 1000...2000))) { self.read(count, at: offset, content) }
        }
        download?.paced += count
        guard wait > .zero else { return takeTurn(count, at: offset, content) }
        content.place.rest()
        connection.setDeadline(in: service.limits.downloadStallTime + wait)
        later(TimeAmount(wait)) { self.takeTurn(count, at: offset, content) }
    }

    /// Does something after a while, if the download is still there.
    private func later(_ pause: TimeAmount, _ act: @escaping () -> Void) {
        loop.eventLoop.assumeIsolated().scheduleTask(in: pause) {
            if self.download != nil { act() }
        }
    }

    /// Fetches a piece when there is a place for the download, which may have been given to others meanwhile.
    private func takeTurn(_ count: Int, at offset: Int64, _ content: StreamedContent) {
        let held = (download?.turnBegan).map { loop.eventLoop.now - $0 } ?? .zero
        let isLong = held > TimeAmount(service.limits.downloadTurn)
        let turn = loop.eventLoop.makePromise(of: DownloadPlaces.Turn.self)
        turn.futureResult.assumeIsolated().whenSuccess { turn in
            // Piece after piece is one turn, however long each of them takes.
            if turn == .begins { self.download?.turnBegan = self.loop.eventLoop.now }
            self.fetch(count, at: offset, content)
        }
        // Whoever ends before its turn is called as well, so that the promise is kept.
        let standing = content.place.goOn(givingWay: isLong) { turn.succeed(.begins) }
        guard standing == .comesLater else { return turn.succeed(standing) }
        connection.setDeadline(in: service.limits.downloadQueueTime)
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
            self.download?.paced -= buffer.readableBytes
            self.giveRateBack()
            self.send(buffer)
            self.pump()
        }
    }

    /// The download is over, sent or not: its place is another's, and so is what it took of the rate.
    func endDownload() {
        giveRateBack()
        let content = download?.content
        download = nil
        content?.place.end()
    }

    private func giveRateBack() {
        guard let download, download.paced > 0 else { return }
        download.content.unpace(download.paced)
        self.download?.paced = 0
    }

    private func send(_ buffer: ByteBuffer) {
        guard let context, download?.cursor.advance(by: buffer.readableBytes) == true else { return connection.cut() }
        service.counters.downloadBytes.add(buffer.readableBytes)
        connection.setDeadline(in: service.limits.downloadStallTime)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }
}
