import Base
import Crypto

/// Writes an archive: records, compressed, in sealed frames, to a file that has its name only at the end.
final class ArchiveWriter {
    let output: OutputFile
    private let frames: FrameWriter
    private let compressor: Compressor
    private var files: UInt64 = 0

    init(_ path: String, manifest: BackupManifest, archiveKey: SymmetricKey) throws {
        let header = ArchiveHeader(id: manifest.id)
        output = try OutputFile(path)
        frames = FrameWriter(output, FrameCipher(archiveKey: archiveKey, header: header))
        compressor = try Compressor()
        try header.bytes.withUnsafeBytes { try output.write($0) }
        let bytes = manifest.bytes
        try append([ArchiveRecord.manifest] + ArchiveRecord.bytes(UInt64(bytes.count), width: 4) + bytes)
    }

    /// Adds the first `length` bytes of a file, all of it when nil.
    func add(_ name: EntryName, _ file: InputFile, length: UInt64? = nil) throws {
        let length = try length ?? file.length
        try begin(name, length)
        var buffer = [UInt8](repeating: 0, count: Limits.frameBytes)
        var rest = length
        while rest > 0 {
            try Task.checkCancellation()
            let wanted = Int(min(rest, UInt64(buffer.count)))
            let count = try buffer.withUnsafeMutableBytes {
                try file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<wanted]))
            }
            guard count == wanted else {
                throw Refusal(.unavailable, "backup.fileChanged", "\(file.path) became shorter while it was copied.")
            }
            try buffer.withUnsafeBytes { try append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            rest -= UInt64(count)
        }
    }

    /// Writes what ends an archive; it is on disk when this returns, and still without its name.
    func finish() throws {
        try append([ArchiveRecord.end] + ArchiveRecord.bytes(files, width: 4))
        try compressor.take(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true) { try frames.append($0) }
        try frames.finish()
        try output.synchronise()
    }

    private func begin(_ name: EntryName, _ length: UInt64) throws {
        guard files < Limits.entries else {
            throw Refusal(.tooLarge, "backup.tooManyFiles", "There are more than \(Limits.entries) files to back up.")
        }
        files += 1
        let text = Array(name.description.utf8)
        try append(
            [ArchiveRecord.file] + ArchiveRecord.bytes(UInt64(text.count), width: 2) + text
                + ArchiveRecord.bytes(length, width: 8))
    }

    private func append(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try append($0) } }

    private func append(_ bytes: UnsafeRawBufferPointer) throws {
        try compressor.take(bytes) { try frames.append($0) }
    }
}
