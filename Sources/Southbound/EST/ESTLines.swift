import NIOHTTP1

/// Whether base64 goes out in lines or in one piece.
///
/// RFC 8951 wants readers to take either, but strongSwan's `pki` 5.9 does not skip line ends, while `openssl base64`
/// and libest find nothing in one long line. The first says nothing about itself in its requests and is told apart
/// from everybody else by that.
enum ESTLines: Hashable, Sendable, CaseIterable {
    case broken
    case unbroken

    /// What the sender of this request can read.
    init(for head: HTTPRequestHead) {
        self = head.headers.contains(name: "user-agent") || head.headers.contains(name: "accept") ? .broken : .unbroken
    }

    /// The text, which has lines, in this form.
    func text(_ lines: [UInt8]) -> [UInt8] {
        switch self {
        case .broken: lines
        case .unbroken: lines.filter { $0 != UInt8(ascii: "\n") }
        }
    }
}
