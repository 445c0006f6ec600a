/// Where a listener listens: a host and a port, written `127.0.0.1:8443` or `[::1]:8443`.
public struct ListenerAddress: Hashable, Sendable, CustomStringConvertible {
    /// A host name or an IP address, without brackets.
    public let host: String
    /// The port; 0 lets the system choose one.
    public let port: Int

    /// This host and port.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// The address that `text` spells, or nil when it is none.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: Int(port))
    }

    /// Whether only programs on this machine can reach it.
    public var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

    /// The address as it is written in the configuration.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
