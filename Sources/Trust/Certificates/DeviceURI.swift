public import Base

/// What a device's certificate opens: the two channels use different keys, and one does not open the other.
public enum Channel: String, Sendable, Hashable, CaseIterable, Codable {
    /// Tasks, firmware and configuration: `…/device/<id>`.
    case maintenance
    /// Telemetry only: `…/device/<id>/stream`.
    case stream
}

/// The one subject alternative name of a device's certificate: `tidegate://<host>/device/<id>`, with `/stream` at
/// the end for the streaming channel.
public struct DeviceURI: Hashable, Sendable, CustomStringConvertible {
    /// `<tenant>.<deployment>`.
    public let host: String
    /// The device.
    public let device: DeviceID
    /// The channel that the certificate opens.
    public let channel: Channel

    /// The URI of this device in the tenant that `host` stands for.
    public init(host: String, device: DeviceID, channel: Channel) {
        self.host = host
        self.device = device
        self.channel = channel
    }

    /// The URI's text.
    public var text: String {
        let tail = channel == .stream ? "/stream" : ""
        return "tidegate://\(host)/device/\(device.text)\(tail)"
    }

    /// The URI's text.
    public var description: String { text }

    /// What the bytes of a URI say about the device behind `host`, or nil when they are not exactly such a URI.
    ///
    /// The comparison is byte by byte: no case folding, no percent decoding, no port, no user, no query. A name that
    /// only looks like ours is none.
    static func parse(_ uri: ArraySlice<UInt8>, host: [UInt8]) -> (device: DeviceID, channel: Channel)? {
        let scheme = Array("tidegate://".utf8)
        let path = Array("/device/".utf8)
        guard uri.starts(with: scheme) else { return nil }
        var rest = uri.dropFirst(scheme.count)
        guard rest.starts(with: host) else { return nil }
        rest = rest.dropFirst(host.count)
        guard rest.starts(with: path) else { return nil }
        rest = rest.dropFirst(path.count)
        let text = rest.prefix(32)
        // Identifier accepts capital digits; a certificate of ours never has them, and one device has one name.
        guard !text.contains(where: { (UInt8(ascii: "A")...UInt8(ascii: "F")).contains($0) }),
            let device = DeviceID(text: String(decoding: text, as: UTF8.self))
        else { return nil }
        rest = rest.dropFirst(32)
        if rest.isEmpty { return (device, .maintenance) }
        return rest.elementsEqual("/stream".utf8) ? (device, .stream) : nil
    }
}
