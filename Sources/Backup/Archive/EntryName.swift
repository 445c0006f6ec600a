import Base
import Blobs

/// What a file in an archive is, which decides where it goes; no other name is ever written to a disk.
enum EntryName: Hashable, CustomStringConvertible {
    /// The snapshot of the main database.
    case database
    /// The snapshot of one partition of stored telemetry.
    case partition(String)
    /// A file of the telemetry log.
    case telemetry(String)
    /// A file of the audit log.
    case audit(String)
    /// A tenant's blob.
    case blob(TenantID, BlobDigest)

    /// The name of the one partition that holds all days, where the engine has no files for them.
    static let sharedPartition = "shared"

    init?(_ text: String) {
        let steps = text.split(separator: "/", omittingEmptySubsequences: false)
        if text == "database" {
            self = .database
            return
        }
        if steps.count == 3, steps[0] == "blobs" {
            guard let tenant = TenantID(text: steps[1]), let digest = BlobDigest(text: steps[2]),
                tenant.text == steps[1], digest.text == steps[2]
            else { return nil }
            self = .blob(tenant, digest)
            return
        }
        guard steps.count == 2, Self.isFileName(steps[1]) else { return nil }
        let name = String(steps[1])
        switch steps[0] {
        case "partitions": self = .partition(name)
        case "telemetry": self = .telemetry(name)
        case "audit": self = .audit(name)
        default: return nil
        }
    }

    var description: String {
        switch self {
        case .database: "database"
        case .partition(let name): "partitions/\(name)"
        case .telemetry(let name): "telemetry/\(name)"
        case .audit(let name): "audit/\(name)"
        case .blob(let tenant, let digest): "blobs/\(tenant)/\(digest.text)"
        }
    }

    private static func isFileName(_ text: Substring) -> Bool {
        guard (1...64).contains(text.utf8.count), text.first != "." else { return false }
        return text.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
        }
    }
}
