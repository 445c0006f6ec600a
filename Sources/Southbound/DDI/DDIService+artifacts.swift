import Base
import Blobs
import Fleet
import Logging
import Operations

/// Artifacts, whole and in parts (RFC 9110, sections 13 and 14).
extension DDIService {
    func send(_ artifact: Artifact, _ request: DDIRequest) async throws -> Answer {
        let tag = artifact.sha1.hex
        let modified = HTTPDate.text(of: artifact.created)
        let size = artifact.size
        var answer = Answer(status: .ok, contentType: "application/octet-stream")
        answer.headers = "ETag: \"\(tag)\"\r\nLast-Modified: \(modified)\r\nAccept-Ranges: bytes\r\n"
        let ranges: ByteRanges
        switch request.conditions.outcome(tag: tag, modified: modified, size: size) {
        case .preconditionFailed:
            let refusal = Refusal(.conflict, "ddi.precondition", "The artifact is another one.")
            counters.refused(refusal.code).add()
            return .problem(refusal, status: .preconditionFailed)
        case .notModified:
            answer.status = .notModified
            answer.contentType = nil
            return answer
        case .send(let wanted): ranges = wanted
        }
        answer.headers +=
            "Content-Disposition: attachment; filename=\"\(artifact.name.percentEncoded)\"\r\n"
            + "X-Content-Type-Options: nosniff\r\n"
        let pieces: [StreamedContent.Piece]
        switch ranges {
        case .whole: pieces = size > 0 ? [.blob(0..<size)] : []
        case .unsatisfiable:
            let refusal = Refusal(.invalid, "ddi.range", "The artifact has \(size) bytes.")
            counters.refused(refusal.code).add()
            var answer = Answer.problem(refusal, status: .rangeNotSatisfiable)
            answer.headers += "Content-Range: bytes */\(size)\r\n"
            return answer
        case .parts(let parts) where parts.count == 1:
            answer.status = .partialContent
            answer.headers += "Content-Range: \(Self.range(parts[0], of: size))\r\n"
            pieces = [.blob(parts[0])]
        case .parts(let parts):
            let boundary = "part-\(artifact.sha256.text.prefix(32))"
            answer.status = .partialContent
            answer.contentType = "multipart/byteranges; boundary=\(boundary)"
            pieces = Self.pieces(parts, of: size, boundary)
        }
        guard !request.conditions.isHead else {
            answer.announcedLength = pieces.reduce(0) { $0 + $1.count }
            return answer
        }
        answer.content = try await content(pieces, of: artifact, for: request.device)
        return answer
    }

    private func content(
        _ pieces: [StreamedContent.Piece], of artifact: Artifact, for device: AdmittedDevice
    ) async throws -> StreamedContent {
        let place = try self.place(device)
        guard let blob = try await operations.open(artifact, of: device.tenant), blob.size == artifact.size else {
            logger.error("an artifact's file is not there", metadata: ["artifact": "\(artifact.id)"])
            throw Refusal(.unavailable, "ddi.artifact", "The artifact can not be read now.")
        }
        counters.downloads.add()
        return StreamedContent(
            blob: blob, pieces: pieces, device: device,
            pace: { [bandwidth = operations.bandwidth, tenant = device.tenant] count in
                bandwidth.take(count, of: tenant)
            },
            unpace: { [bandwidth = operations.bandwidth, tenant = device.tenant] count in
                bandwidth.giveBack(count, of: tenant)
            }, place: place)
    }

    /// A place for a download. Clients in use take a refusal for a failed install, so that nearly everybody may wait.
    private func place(_ device: AdmittedDevice) throws(Refusal) -> DownloadPlace {
        do {
            return try downloads.begin(device)
        } catch {
            switch error {
            case .device:
                throw Refusal(
                    .limited, "ddi.deviceDownloads", "The device has too many downloads under way.",
                    retryAfter: .seconds(30))
            case .all:
                throw Refusal(.limited, "ddi.downloads", "Too many downloads are under way.", retryAfter: .seconds(30))
            }
        }
    }

    /// Several parts, as `multipart/byteranges` has them.
    private static func pieces(
        _ parts: [Range<Int64>], of size: Int64, _ boundary: String
    ) -> [StreamedContent.Piece] {
        var pieces: [StreamedContent.Piece] = []
        for (index, part) in parts.enumerated() {
            let head = """
                \(index == 0 ? "" : "\r\n")--\(boundary)\r
                Content-Type: application/octet-stream\r
                Content-Range: \(range(part, of: size))\r
                \r

                """
            pieces.append(.bytes(Array(head.utf8)))
            pieces.append(.blob(part))
        }
        pieces.append(.bytes(Array("\r\n--\(boundary)--\r\n".utf8)))
        return pieces
    }

    private static func range(_ part: Range<Int64>, of size: Int64) -> String {
        "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(size)"
    }
}
