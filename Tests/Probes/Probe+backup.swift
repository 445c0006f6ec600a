import Base
import Crypto

@testable import Backup
@testable import Storage

extension Probe {
    /// A snapshot's file: the first byte says whether a heading and the hash that fits are put around the rest, so that
    /// the reader looks behind them.
    public static func snapshot(_ bytes: [UInt8]) throws {
        guard let first = bytes.first else { return }
        let rest = Array(bytes.dropFirst())
        try ScratchFile.with(first & 1 == 0 ? rest : sealed(rest)) { path in
            do {
                let reader = try SnapshotReader(path: path)
                var values = 0
                while let (_, columns) = try reader.nextTable() {
                    while let row = try reader.nextRow(width: columns.count) {
                        try check(row.count == columns.count, "a row has its columns")
                        values += row.count
                    }
                }
                try check(values <= rest.count, "no value comes from nowhere")
            } catch let error as StorageError {
                try check(error.code == .corrupt, "a damaged snapshot is called damaged: \(error)")
            }
        }
    }

    private static func sealed(_ body: [UInt8]) -> [UInt8] {
        let content = SnapshotFormat.heading + body + [SnapshotFormat.end]
        var hash = FNV1a()
        hash.add(content[...])
        return content + (0..<8).map { UInt8(truncatingIfNeeded: hash.value >> UInt64(56 - 8 * $0)) }
    }

    /// A backup's archive. The first byte chooses: the file as it is; the same bytes sealed in frames, as if the
    /// compressed stream were damaged; or compressed and sealed, as if the program that wrote the records were wrong.
    public static func archive(_ bytes: [UInt8]) throws {
        guard let first = bytes.first else { return }
        let rest = Array(bytes.dropFirst())
        let key = SymmetricKey(data: [UInt8](repeating: 1, count: 32))
        let header = ArchiveHeader(id: [UInt8](repeating: 2, count: ArchiveHeader.identifierBytes))
        let cipher = FrameCipher(archiveKey: key, header: header)
        var file: [UInt8] = []
        switch first % 3 {
        case 0: file = rest
        case 1: file = try header.bytes + seal(rest, cipher)
        default: file = try header.bytes + seal(compressed(rest), cipher)
        }
        guard let files = KeyFileSet([:]) else { return }
        try ScratchFile.with(file) { path in
            do {
                let reader = try ArchiveReader(
                    path, bundle: KeyBundle(archive: header.id, archiveKey: key, files: files))
                try reader.walk { name, _ in
                    try check(EntryName(name.description) == name, "an entry's name has one text")
                    try check(!name.description.contains(".."), "an entry stays in its folder")
                    return nil
                }
            } catch let refusal as Refusal {
                try check(
                    refusal.code.hasPrefix("backup."), "a damaged archive is refused with its own code: \(refusal)")
            }
        }
        _ = try? RecoveryKey(String(decoding: rest, as: UTF8.self))
    }

    private static func seal(_ content: [UInt8], _ cipher: FrameCipher) throws -> [UInt8] {
        try content.withUnsafeBytes { try cipher.seal($0, number: 0, isLast: true) }
    }

    private static func compressed(_ content: [UInt8]) throws -> [UInt8] {
        var stream: [UInt8] = []
        let compressor = try Compressor()
        try content.withUnsafeBytes { try compressor.take($0, isLast: true) { stream += $0 } }
        return stream
    }
}
