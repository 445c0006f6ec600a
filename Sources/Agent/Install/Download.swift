import Base
import Crypto
import Glibc
import NIOCore
import NIOHTTP1

/// One file that a release brings, as the signed envelope names it.
struct ReleaseArtifact: Sendable, Hashable {
    let name: String
    let size: Int64
    let sha256: String
    /// Where it lies at the configured server; the host that the address names does not count, so nobody else is asked.
    let path: String

    init?(_ json: JSONValue) {
        guard let name = json["name"]?.string, !name.isEmpty, name.utf8.count <= 200, !name.hasPrefix("."),
            name.utf8.allSatisfy({ $0 > 0x20 && $0 != UInt8(ascii: "/") && $0 != 0x7f }),
            let size = json["size"]?.integer, size >= 0, let sha256 = json["sha256"]?.string,
            [UInt8](hex: sha256)?.count == 32, let path = json["url"]?.string.flatMap(Self.path(of:))
        else { return nil }
        self.name = name
        self.size = size
        self.sha256 = sha256.lowercased()
        self.path = path
    }

    private static func path(of url: String) -> String? {
        guard url.hasPrefix("https://"), let slash = url.dropFirst(8).firstIndex(of: "/") else { return nil }
        let path = url[slash...]
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), path.utf8.count <= 2048 else { return nil }
        return String(path)
    }
}

/// Fetches a file into the state directory, going on where an earlier run was cut, and gives it only when it is whole.
struct Download: Sendable {
    /// The file is not to be had as it was promised.
    struct Failure: Error, CustomStringConvertible {
        var description: String
        /// Whether it makes no sense to try again.
        var isFinal = false
    }

    let artifact: ReleaseArtifact
    let directory: String
    let client: HTTPSClient
    let identity: DeviceIdentity

    /// Where the whole file lies: named by what is in it.
    var path: String { "\(directory)/\(artifact.sha256)" }

    /// Fetches what is missing; `progress` learns how many bytes are there.
    func fetch(until request: EndRequest, progress: (Int64) -> Void) async throws {
        try StateFile.makeDirectory(directory)
        if access(path, F_OK) == 0 { return }
        let part = path + ".part"
        var failures = 0
        var rest = 1
        while true {
            if request.isAsked { throw CancellationError() }
            let before = Self.size(part)
            guard before < artifact.size || artifact.size == 0 else { break }
            try checkSpace(artifact.size - before)
            do {
                try await fetchRest(into: part, from: before, until: request, progress: progress)
                if Self.size(part) >= artifact.size { break }
                throw Failure(description: "the download ended early")
            } catch let error where !(error is CancellationError || error is FileFailure) {
                // What brought something is no failure: a bad line may cut any number of times.
                // Nor is a server that is away; it is the server that says when a task took too long.
                if let failure = error as? Failure {
                    failures = Self.size(part) > before ? 0 : failures + 1
                    guard !failure.isFinal, failures < AgentLimits.downloadAttempts else { throw error }
                }
                rest = Self.size(part) > before ? 1 : min(rest * 2, 60)
                try await Task.sleep(for: .seconds(rest))
            }
        }
        guard try Self.digest(of: part) == artifact.sha256 else {
            try StateFile.remove(part)
            throw Failure(description: "\(artifact.name) is not what was signed: its SHA-256 is another")
        }
        guard rename(part, path) == 0 else { throw FileFailure("replace", path) }
    }

    private func fetchRest(
        into part: String, from start: Int64, until request: EndRequest, progress: (Int64) -> Void
    ) async throws {
        let file = open(part, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw FileFailure("write", part) }
        defer { close(file) }
        var done = start
        var status = 0
        let headers: HTTPHeaders = start > 0 ? ["Range": "bytes=\(start)-"] : [:]
        try await client.exchange(.GET, artifact.path, headers: headers, body: nil, identity: identity) { head in
            status = Int(head.status.code)
            switch status {
            case 206 where head.headers.first(name: "content-range")?.hasPrefix("bytes \(start)-") == true: break
            case 200: done = 0
            default:
                throw Failure(
                    description: "the server answered \(status) for \(artifact.name)",
                    isFinal: [400, 404, 410].contains(status))
            }
            guard ftruncate(file, off_t(done)) == 0, lseek(file, off_t(done), SEEK_SET) == done else {
                throw FileFailure("write", part)
            }
        } onBody: { bytes in
            if request.isAsked { throw CancellationError() }
            guard Int64(bytes.readableBytes) <= artifact.size - done else {
                try StateFile.remove(part)
                throw Failure(description: "\(artifact.name) is larger than was signed", isFinal: true)
            }
            // Blocks for as long as the disk takes; the agent has nothing else to do with this thread.
            try StateFile.append(Array(bytes.readableBytesView), to: file, part)
            done += Int64(bytes.readableBytes)
            progress(done)
        }
        guard fsync(file) == 0 else { throw FileFailure("keep", part) }
    }

    private func checkSpace(_ needed: Int64) throws {
        var file = statvfs()
        guard statvfs(directory, &file) == 0 else { throw FileFailure("measure", directory) }
        let (free, isHuge) = Int64(clamping: file.f_bavail).multipliedReportingOverflow(
            by: Int64(clamping: file.f_frsize))
        guard isHuge || free > needed else {
            throw FileFailure("\(directory): \(needed) bytes are needed and \(free) are free")
        }
    }

    private static func size(_ path: String) -> Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// The SHA-256 of a file, in hexadecimal digits.
    static func digest(of path: String) throws -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw FileFailure("read", path) }
        defer { close(file) }
        var hash = SHA256()
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(file, &piece, piece.count)
            if count < 0 { throw FileFailure("read", path) }
            if count == 0 { return hash.finalize().hex }
            hash.update(data: piece[..<count])
        }
    }
}
