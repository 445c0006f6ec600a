public import Base

/// Finds out who calls when the operator's own proxies stand between: each names the peer that it had, at the end of
/// `X-Forwarded-For`.
///
/// Only what trusted hops wrote counts. The field is read from its end, and the first address that is no trusted proxy
/// is the caller's; whatever stands before it, anybody may have written.
public struct TrustedProxies: Sendable {
    private let ranges: [AddressRange]

    /// The proxies in these ranges; without any, the peer is the caller.
    public init(_ ranges: [AddressRange] = []) {
        self.ranges = ranges
    }

    /// The caller behind this peer.
    func caller(behind peer: String?, _ fields: [String]) -> String? {
        guard !ranges.isEmpty, let peer, isTrusted(peer) else { return peer }
        var caller = peer
        // By bytes: what somebody wrote before a proxy's comma may not take that comma into a character of its own.
        for hop in fields.joined(separator: ",").utf8.split(separator: UInt8(ascii: ",")).reversed() {
            // What can not be read was written by nobody who is trusted; the hop before it is as far as is known.
            guard let address = Self.address(Substring(hop)) else { return caller }
            caller = address
            guard isTrusted(caller) else { return caller }
        }
        return caller
    }

    private func isTrusted(_ text: String) -> Bool {
        NetworkAddress(text).map { address in ranges.contains { $0.contains(address) } } ?? false
    }

    /// An address with or without a port: `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7`, `[2001:db8::7]:4711`.
    private static func address(_ hop: Substring) -> String? {
        var text = hop.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            text = text[text.index(after: text.startIndex)..<end]
        } else if text.utf8.count(where: { $0 == UInt8(ascii: ":") }) == 1 {
            text = text.prefix { $0 != ":" }
        }
        return NetworkAddress(text)?.description
    }
}
