import Base
import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The bytes of a file, or of the standard input for `-`, a block at a time; the file is open as long as this is.
struct FileBytes: AsyncSequence {
    private static let blockBytes = 64 << 10

    /// An open file, closed with its last reader, however that ends.
    fileprivate final class Descriptor: Sendable {
        let number: Int32

        init(_ path: String) throws {
            number = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
            guard number >= 0 else { throw AdminFailure("\(path): \(String(cString: strerror(errno)))") }
        }

        deinit { if number != STDIN_FILENO { close(number) } }
    }

    private let file: Descriptor

    /// Opens the file, to be read from an offset on.
    init(_ path: String, from offset: Int64 = 0) throws {
        file = try Descriptor(path)
        if offset > 0, lseek(file.number, off_t(offset), SEEK_SET) < 0 {
            throw AdminFailure("\(path): \(String(cString: strerror(errno)))")
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(file: file) }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let file: Descriptor

        mutating func next() async throws -> ByteBuffer? {
            let file = file
            return try await NIOThreadPool.singleton.runIfActive { () throws -> ByteBuffer? in
                var buffer = ByteBuffer()
                var count = 0
                var failure: Int32 = 0
                buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: FileBytes.blockBytes) { space in
                    repeat {
                        count = read(file.number, space.baseAddress, FileBytes.blockBytes)
                        failure = errno
                    } while count < 0 && failure == EINTR
                    return Swift.max(count, 0)
                }
                guard count >= 0 else { throw AdminFailure("reading: \(String(cString: strerror(failure)))") }
                return count > 0 ? buffer : nil
            }
        }
    }
}

extension FileBytes {
    /// The first line of a file, or of the standard input for `-`, for a secret.
    static func firstLine(of file: String) async throws -> String {
        var bytes: [UInt8] = []
        for try await block in try FileBytes(file) {
            bytes += block.readableBytesView
            guard bytes.count <= 64 << 10 else { throw AdminFailure("\(file) is too large for a secret") }
        }
        return String(decoding: bytes.prefix { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
    }
}

extension JSONValue {
    /// The JSON in a file of at most so many bytes, or in the standard input for `-`.
    init(file: String, atMost most: Int) async throws {
        var bytes: [UInt8] = []
        for try await block in try FileBytes(file) {
            bytes += block.readableBytesView
            guard bytes.count <= most else { throw AdminFailure("\(file) is larger than \(most) bytes.") }
        }
        do {
            self = try JSONValue(parsing: bytes)
        } catch {
            throw AdminFailure("\(file), byte \(error.offset): \(error.message)")
        }
    }
}
