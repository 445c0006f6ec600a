import Base
import Crypto
import HTTPTypes
import Hummingbird
import NIOCore

/// Style sheet, scripts and symbols under names that change with their content, so that a browser may keep them for
/// ever; packed once, at the start.
struct Assets: Sendable {
    private struct Asset: Sendable {
        let plain: ByteBuffer
        let packed: ByteBuffer
        let mediaType: String
    }

    private var byName: [String: Asset] = [:]
    /// The addresses by the files' names.
    private var addresses: [String: String] = [:]

    /// The files that are built into the program.
    init() {
        for (path, bytes) in EmbeddedFiles.all where !path.hasPrefix("templates/") {
            let name = path.split(separator: "/").last.map(String.init) ?? path
            let dot = name.lastIndex(of: ".") ?? name.endIndex
            let hash = SHA256.hash(data: bytes).prefix(6).map { $0 }.hex
            let hashed = "\(name[..<dot]).\(hash)\(name[dot...])"
            byName[hashed] = Asset(
                plain: ByteBuffer(bytes: bytes), packed: ByteBuffer(bytes: GzipWriter.pack(bytes, level: 9)),
                mediaType: Self.mediaType(name[dot...]))
            addresses[name] = "/assets/" + hashed
        }
    }

    /// Where the browser finds a file; nil when it was not there at the build.
    func address(_ name: String) -> String? { addresses[name] }

    /// The answer for `/assets/…`, nil when there is no such file.
    func answer(_ path: String, acceptsGzip: Bool) -> Response? {
        guard let asset = byName[String(path.dropFirst("/assets/".count))] else { return nil }
        var headers: HTTPFields = [
            .contentType: asset.mediaType, .cacheControl: "public, max-age=31536000, immutable",
            .vary: "Accept-Encoding",
        ]
        if acceptsGzip { headers[.contentEncoding] = "gzip" }
        return Response(
            status: .ok, headers: headers, body: .init(byteBuffer: acceptsGzip ? asset.packed : asset.plain))
    }

    private static func mediaType(_ ending: Substring) -> String {
        switch ending {
        case ".css": "text/css; charset=utf-8"
        case ".js": "text/javascript; charset=utf-8"
        case ".svg": "image/svg+xml"
        default: "text/plain; charset=utf-8"
        }
    }
}
