/// An address on this server, whatever somebody asked for: nobody is ever sent elsewhere by a link to us.
struct LocalAddress: Sendable, Hashable {
    let text: String

    /// The address that `text` spells, or the start page when it would lead away or is no address.
    init(_ text: String) {
        let bytes = Array(text.utf8)
        // Browsers read a backslash as a slash, and skip tabs and line ends.
        let isLocal =
            bytes.first == UInt8(ascii: "/") && bytes.dropFirst().first != UInt8(ascii: "/") && bytes.count <= 2000
            && bytes.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }
        self.text = isLocal ? text : "/"
    }
}
