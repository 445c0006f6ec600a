import Base
import Operations

extension Release.State {
    /// The word on screens.
    var label: String {
        switch self {
        case .draft: "Draft"
        case .published: "Published"
        case .withdrawn: "Withdrawn"
        }
    }

    var badge: Badge {
        switch self {
        case .draft: .warning(label)
        case .published: .good(label)
        case .withdrawn: .off(label)
        }
    }
}

extension ArtifactType {
    /// What it is, in a few words.
    var label: String {
        switch self {
        case .swu: "Update for SWUpdate"
        case .rauc: "Bundle for RAUC"
        case .mcuboot: "Image for MCUboot"
        case .deb: "Debian package"
        case .zchunk: "zchunk file"
        case .gzip: "gzip file"
        case .xz: "xz file"
        case .zstd: "Zstandard file"
        case .cycloneDX: "Bill of materials"
        case .binary: "File"
        }
    }
}

extension Artifact.Signature {
    /// What is known of who made it; nil where devices alone can check it.
    var badge: Badge? {
        switch self {
        case .none: nil
        case .unverified: .warning("Nobody checked its signature")
        case .verified(let key): .good("Signed: \(key)")
        }
    }
}

extension Int64 {
    /// So many bytes, as people say it.
    var bytes: String {
        var (number, unit) = (Double(self), 0)
        let units = ["B", "KiB", "MiB", "GiB"]
        while number >= 1024, unit < units.count - 1 { (number, unit) = (number / 1024, unit + 1) }
        if unit == 0 || number >= 100 { return "\(Int(number)) \(units[unit])" }
        let tenths = Int(number * 10)
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}

/// A file as pages about releases show it.
struct FileLine: Sendable {
    let id: String
    let name: String
    let about: String
    let signature: Badge?
    let sha256: String
    let sha1: String
    let md5: String
    /// Where its bytes are; nil for who may not have them.
    let content: String?
}

extension FileLine {
    init(_ artifact: Artifact, _ home: String, canRead: Bool) {
        id = artifact.id.text
        name = artifact.name
        about = "\(artifact.type.label), \(artifact.size.bytes)"
        signature = artifact.signature.badge
        sha256 = artifact.digest
        sha1 = artifact.sha1.hex
        md5 = artifact.md5.hex
        content = canRead ? "\(home)/firmware/files/\(artifact.id.text)/content" : nil
    }
}
