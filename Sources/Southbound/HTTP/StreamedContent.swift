import Base
import Blobs
import Fleet

/// What an answer brings that is too large for memory: parts of a blob, with what multipart puts around them.
struct StreamedContent: Sendable {
    /// One piece, in the order of the wire.
    enum Piece: Hashable, Sendable {
        case bytes([UInt8])
        case blob(Range<Int64>)

        var count: Int64 {
            switch self {
            case .bytes(let bytes): Int64(bytes.count)
            case .blob(let range): Int64(range.count)
            }
        }
    }

    let blob: OpenBlob
    let pieces: [Piece]
    /// Who gets it; when the device loses its access, so does the download.
    let device: AdmittedDevice
    /// Takes so many bytes of the tenant's rate, and says how long to wait before they go out; nil when there are none to
    /// be had yet.
    let pace: @Sendable (Int) -> Duration?
    /// Gives bytes back that were taken and did not go out.
    let unpace: @Sendable (Int) -> Void
    /// Given back with the end of the download.
    let place: DownloadPlace

    /// Bytes of all pieces.
    var length: Int64 { pieces.reduce(0) { $0 + $1.count } }
}

/// How far streamed content has gone out: says what comes next and does nothing.
struct ContentCursor: Hashable, Sendable {
    /// What to send next.
    enum Step: Hashable, Sendable {
        case bytes([UInt8])
        case read(at: Int64, count: Int)
    }

    private var pieces: ArraySlice<StreamedContent.Piece>

    init(_ pieces: [StreamedContent.Piece]) { self.pieces = pieces[...] }

    /// The next step, of at most `most` bytes when it is one of reading; nil at the end.
    func next(most: Int) -> Step? {
        switch pieces.first {
        case .bytes(let bytes): .bytes(bytes)
        case .blob(let range): .read(at: range.lowerBound, count: Int(min(Int64(range.count), Int64(most))))
        case nil: nil
        }
    }

    /// So many bytes of the next step have gone out; false when that is more than it had.
    mutating func advance(by count: Int) -> Bool {
        guard let first = pieces.first, Int64(count) <= first.count else { return false }
        switch first {
        case .blob(let range) where count < range.count:
            pieces[pieces.startIndex] = .blob((range.lowerBound + Int64(count))..<range.upperBound)
        default: pieces.removeFirst()
        }
        return true
    }
}
