import Base

@testable import Operations
@testable import Trust

extension Probe {
    /// An archive as it is uploaded, and its bytes as a description.
    public static func update(_ bytes: [UInt8]) throws {
        var walk = ArchiveWalk(size: Int64(bytes.count))
        do {
            while !walk.isAtEnd {
                let before = walk.position
                try check(before >= 0, "a head begins in the archive")
                let start = Int(min(before, Int64(bytes.count)))
                try walk.take(Array(bytes[start...].prefix(ArchiveWalk.headBytes)))
                try check(walk.isAtEnd || walk.position > before, "a walk goes on")
            }
        } catch is ArchiveWalk.Malformed {}
        try check(walk.files.count <= OperationLimits.archiveFiles, "an archive has a bounded number of files")
        var end: Int64 = 0
        for file in walk.files {
            try check(file.offset >= end && file.size >= 0, "files lie one behind the other")
            end = file.offset + file.size
            try check(end <= Int64(bytes.count), "a file lies in the archive")
            if file.size < 4096 {
                _ = SoftwareDescription(Array(bytes[Int(file.offset)..<Int(end)]))
            }
        }
        if let description = SoftwareDescription(bytes) {
            for file in description.files {
                try check(file.sha256.map { $0.count == 32 } ?? true, "a hash has 32 bytes or is none")
            }
        }
        _ = ArtifactType(head: bytes)
    }

    /// A detached signature in CMS, as an update brings it.
    public static func signature(_ bytes: [UInt8]) throws {
        guard let message = try? DetachedSignature(bytes) else { return }
        try check(message.signers.count <= 8 && message.certificates.count <= 8, "a message is bounded")
        for signer in message.signers {
            try check(
                signer.attributes.map { $0.signed.first == 0x31 } ?? true, "signed attributes are a set")
        }
    }
}
