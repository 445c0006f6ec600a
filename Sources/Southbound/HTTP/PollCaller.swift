import Base
import Fleet
import NIOHTTP1

/// Who polled last on a connection, and how, so that the same poll again need be neither read nor looked up.
struct PollCaller: Sendable {
    /// Which way of polling it is.
    enum Poll: Sendable {
        /// hawkBit's, by an update client.
        case update
        /// The heartbeat.
        case heartbeat
    }

    let poll: Poll
    /// The target of the poll.
    let target: String
    /// The server as the device called it.
    let host: String
    /// What it takes, as the field `Accept` said.
    let accept: String?
    /// The field `Authorization` that let it in; nil when that was the connection's certificate.
    let authorization: String?
    /// The device, as it was admitted.
    let device: AdmittedDevice
    /// Where its links begin.
    let base: String
    /// What goes before the answer to an empty poll of a device that has installed something.
    let installed = InstalledLink()

    init(
        poll: Poll, _ head: HTTPRequestHead, host: String, authorization: String?, device: AdmittedDevice, base: String
    ) {
        self.poll = poll
        target = head.uri
        accept = head.headers.first(name: "accept")
        (self.host, self.authorization, self.device, self.base) = (host, authorization, device, base)
    }

    /// Whether a request is the same poll, by the same device.
    func asksAgain(_ head: HTTPRequestHead) -> Bool {
        head.method == .GET && head.uri == target && head.headers.first(name: "host") == host
            && head.headers.first(name: "accept") == accept
            && (authorization == nil || authorization == head.headers.first(name: "authorization"))
    }

    /// Where links begin for who called `host` with this path; nil when that is no name or address of a server.
    static func base(host: String, prefix: String) -> String? {
        guard (1...Limits.hostBytes).contains(host.utf8.count), host.utf8.allSatisfy(isHost) else { return nil }
        return "https://\(host)\(prefix)"
    }

    private static func isHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
            UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"):
            true
        default: false
        }
    }
}
