import Base
import Blobs
import Crypto

/// Reads an archive from its beginning to its end; every length meets a limit before its use.
///
/// What it gives out is authentic, but whether the archive is whole shows only at the end: use `walk` once without
/// keeping anything before relying on it.
final class ArchiveReader {
    let manifest: BackupManifest
    private let path: String
    private let source: RecordSource

    init(_ path: String, bundle: KeyBundle) throws {
        self.path = path
        let file = try InputFile(path)
        var bytes = [UInt8](repeating: 0, count: ArchiveHeader.length)
        let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
        guard let header = ArchiveHeader(Array(bytes[..<count])) else {
            throw Refusal.damagedArchive(
                path, "is no Tidegate backup, is damaged at its beginning, or is of a later form")
        }
        guard header.id == bundle.archive else {
            throw Refusal(
                .invalid, "backup.otherKeys",
                "The key bundle belongs to another backup than \(path), or that file is damaged at its beginning. "
                    + "Give the .keys file that has the archive's own name.")
        }
        source = try RecordSource(
            path, FrameReader(file, FrameCipher(archiveKey: bundle.archiveKey, header: header)))
        guard try source.byte() == ArchiveRecord.manifest else { throw Self.disorder(path) }
        let length = try source.number(width: 4)
        guard length <= Limits.manifestBytes, let manifest = BackupManifest(try source.take(Int(length))),
            manifest.id == header.id
        else { throw Self.disorder(path) }
        self.manifest = manifest
    }

    /// Goes through all files; `visit` may give an output file, which then gets the content and its name.
    ///
    /// A blob whose content is not what its name says gets no file: it was damaged before it came here, because the
    /// archive itself is authentic. Answers how many these are.
    @discardableResult
    func walk(_ visit: (EntryName, _ length: UInt64) throws -> OutputFile?) throws -> Int {
        var (files, damaged) = (UInt64(0), 0)
        while true {
            switch try source.byte() {
            case ArchiveRecord.file:
                let nameLength = try source.number(width: 2)
                guard nameLength <= Limits.entryNameBytes, files < Limits.entries,
                    let text = String(validating: try source.take(Int(nameLength)), as: UTF8.self),
                    let name = EntryName(text)
                else { throw Self.disorder(path) }
                files += 1
                let length = try source.number(width: 8)
                let output = try visit(name, length)
                guard case .blob(_, let digest) = name else {
                    try source.forward(length) { try output?.write($0) }
                    try output?.synchronise()
                    try output?.publish()
                    continue
                }
                var hash = SHA256()
                try source.forward(length) {
                    hash.update(bufferPointer: $0)
                    try output?.write($0)
                }
                guard Array(hash.finalize()) == digest.bytes else {
                    damaged += 1
                    continue
                }
                try output?.synchronise()
                try output?.publish()
            case ArchiveRecord.end:
                guard try source.number(width: 4) == files, try source.isAtEnd else { throw Self.disorder(path) }
                return damaged
            default: throw Self.disorder(path)
            }
        }
    }

    /// Authentic bytes that are no archive: a fault of the program that wrote it.
    static func disorder(_ path: String) -> Refusal {
        Refusal.damagedArchive(path, "holds records that this program does not understand")
    }
}
