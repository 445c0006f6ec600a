import CQREncode

/// A text as a QR code in SVG, by libqrencode.
public struct QRPicture: Sendable {
    /// The picture's whole text: dark on light whatever the page's colours are, because readers want it so.
    public let svg: String

    /// The picture of a text, or nil when it is too long for one.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        // Version 0: as small as the text allows. The library copies what it is given.
        guard bytes.count <= SignInLimits.pictureBytes,
            let code = QRcode_encodeData(Int32(bytes.count), bytes, 0, QR_ECLEVEL_M)
        else { return nil }
        defer { QRcode_free(code) }
        let width = Int(code.pointee.width)
        guard width > 0, let modules = code.pointee.data else { return nil }
        var path = ""
        for row in 0..<width {
            var column = 0
            while column < width {
                let start = column
                while column < width, modules[row * width + column] & 1 == 1 { column += 1 }
                if column > start {
                    path += "M\(start + Self.border) \(row + Self.border)h\(column - start)v1H\(start + Self.border)z"
                }
                if column == start { column += 1 }
            }
        }
        let side = width + 2 * Self.border
        svg = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(side) \(side)" shape-rendering="crispEdges" aria-hidden="true">\
            <path fill="#fff" d="M0 0h\(side)v\(side)H0z"/><path fill="#000" d="\(path)"/></svg>
            """
    }

    /// The light modules around it that ISO/IEC 18004 asks for.
    private static let border = 4
}
