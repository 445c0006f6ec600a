import Base
import Blobs
import FoundationEssentials
import HTTPTypes
import HummingbirdCore
import Operations

/// What the header fields of resumable uploads say: tus 1.0.0, its core protocol with creation and termination
/// (tus.io/protocols/resumable-upload).
///
/// The field that says the version may be missing, so that curl needs no more than what it sends.
enum ResumableUpload {
    static let version = "1.0.0"
    /// The media type of a part of an upload.
    static let mediaType = "application/offset+octet-stream"

    /// The answer to a client that speaks another version.
    static func refused(_ call: Call) -> Answer? {
        guard let spoken = call.request.headers[.tusResumable], spoken != version else { return nil }
        return Answer(.preconditionFailed, headers: [.tusVersion: version])
    }

    /// What may be done at an address that takes uploads.
    static let options: HTTPFields = [
        .tusResumable: version, .tusVersion: version, .tusExtension: "creation,termination",
        .tusMaxSize: String(OperationLimits.artifactBytes),
    ]

    /// The file that is announced.
    static func draft(_ call: Call) throws -> ArtifactDraft {
        guard call.request.headers[.uploadDeferLength] == nil else {
            throw fault(.uploadDeferLength, "is not taken: say the length at once, with Upload-Length")
        }
        let metadata = try metadata(call.request.headers[.uploadMetadata] ?? "")
        guard let name = metadata["filename"] ?? metadata["name"] else {
            throw fault(.uploadMetadata, "needs filename, in base64")
        }
        var digest: BlobDigest?
        if let text = metadata["sha256"] {
            guard let read = BlobDigest(text: text) else {
                throw fault(.uploadMetadata, "has a sha256 that is not 64 hexadecimal digits in base64")
            }
            digest = read
        }
        return try ArtifactDraft(name: name, size: number(call, .uploadLength), sha256: digest)
    }

    /// Where the bytes begin that come.
    static func offset(_ call: Call) throws -> Int64 {
        let essence = (call.request.headers[.contentType] ?? "").prefix { $0 != ";" && $0 != " " }.lowercased()
        guard essence == mediaType else {
            throw Refusal(
                .invalid, "request.mediaType", "The part of an upload is sent with Content-Type: \(mediaType).")
        }
        return try number(call, .uploadOffset)
    }

    /// What a client learns of an upload from an answer's header.
    static func fields(_ stored: StoredArtifact) -> HTTPFields {
        let (received, size) =
            switch stored {
            case .uploading(let upload, let received): (received, upload.size)
            case .whole(let artifact): (artifact.size, artifact.size)
            }
        return [.tusResumable: version, .uploadOffset: String(received), .uploadLength: String(size)]
    }

    /// `key base64,key base64`, each key once.
    static func metadata(_ text: String) throws -> [String: String] {
        guard text.utf8.count <= NorthboundLimits.uploadMetadataBytes else {
            throw fault(.uploadMetadata, "has more than \(NorthboundLimits.uploadMetadataBytes) bytes")
        }
        var pairs: [String: String] = [:]
        for pair in text.split(separator: ",") {
            let words = pair.split(separator: " ")
            guard (1...2).contains(words.count), pairs[String(words[0])] == nil,
                let bytes = Data(base64Encoded: words.count == 2 ? String(words[1]) : ""),
                let value = String(validating: bytes, as: UTF8.self)
            else { throw fault(.uploadMetadata, "is pairs of a key and base64 with a space between, joined by commas") }
            pairs[String(words[0])] = value
        }
        return pairs
    }

    private static func number(_ call: Call, _ name: HTTPField.Name) throws -> Int64 {
        guard let text = call.request.headers[name], (1...18).contains(text.utf8.count),
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let number = Int64(text)
        else { throw fault(name, "must be there, as digits alone") }
        return number
    }

    private static func fault(_ name: HTTPField.Name, _ message: String) -> Refusal {
        Refusal(
            .invalid, "request.invalid", "The request is wrong: \(name.canonicalName) \(message).",
            faults: [Refusal.Fault(place: name.canonicalName, message: message)])
    }
}

extension Route {
    /// Whether its address takes uploads that can be resumed.
    var isResumable: Bool {
        if case .streamed(let types) = body { types.contains(ResumableUpload.mediaType) } else { false }
    }
}

extension HTTPField.Name {
    static let tusResumable = HTTPField.Name("Tus-Resumable") ?? .ifMatch
    static let tusVersion = HTTPField.Name("Tus-Version") ?? .ifMatch
    static let tusExtension = HTTPField.Name("Tus-Extension") ?? .ifMatch
    static let tusMaxSize = HTTPField.Name("Tus-Max-Size") ?? .ifMatch
    static let uploadLength = HTTPField.Name("Upload-Length") ?? .ifMatch
    static let uploadOffset = HTTPField.Name("Upload-Offset") ?? .ifMatch
    static let uploadMetadata = HTTPField.Name("Upload-Metadata") ?? .ifMatch
    static let uploadDeferLength = HTTPField.Name("Upload-Defer-Length") ?? .ifMatch
}
