import NIOCore

/// SUBSCRIBE: which messages a client wants (section 3.8).
public struct Subscribe: Sendable, Hashable {
    /// What SUBACK will name.
    public var packetID: UInt16
    /// What is wanted, in the order in which SUBACK answers.
    public var subscriptions: [Subscription]
    /// The properties of version 5.
    public var properties: Properties

    /// A SUBSCRIBE with these fields.
    public init(packetID: UInt16, subscriptions: [Subscription], properties: Properties = .init()) {
        self.packetID = packetID
        self.subscriptions = subscriptions
        self.properties = properties
    }
}

/// A topic filter and how its messages shall come.
public struct Subscription: Sendable, Hashable {
    /// What becomes of retained messages when the subscription is made (5.0, section 3.8.3.1).
    public enum RetainHandling: UInt8, Sendable {
        /// They are sent.
        case send = 0
        /// They are sent if the subscription is new.
        case sendIfNew = 1
        /// They are not sent.
        case doNotSend = 2
    }

    /// Which messages.
    public var filter: TopicFilter
    /// The highest quality of service to send them with.
    public var maximumQoS: QoS
    /// Whether the client's own messages are left out.
    public var noLocal: Bool
    /// Whether the retain flag is passed on as it was published.
    public var retainAsPublished: Bool
    /// What becomes of retained messages.
    public var retainHandling: RetainHandling

    /// A subscription with these options; 3.1.1 knows only the quality of service.
    public init(
        _ filter: TopicFilter, maximumQoS: QoS = .atMostOnce, noLocal: Bool = false, retainAsPublished: Bool = false,
        retainHandling: RetainHandling = .send
    ) {
        self.filter = filter
        self.maximumQoS = maximumQoS
        self.noLocal = noLocal
        self.retainAsPublished = retainAsPublished
        self.retainHandling = retainHandling
    }
}

extension Subscribe {
    init(
        from reader: inout BodyReader, version: ProtocolVersion, limits: borrowing Limits
    ) throws(ProtocolViolation) {
        packetID = try reader.packetID()
        properties = version == .v5 ? try Properties(from: &reader, in: .subscribe, limits: limits) : Properties()
        subscriptions = []
        guard reader.remaining > 0 else { throw .protocolError("SUBSCRIBE names no filter") }  // [MQTT-3.8.3-2]
        while reader.remaining > 0 {
            guard subscriptions.count < limits.filtersPerPacket else {
                throw ProtocolViolation(.quotaExceeded, "SUBSCRIBE names too many filters")
            }
            subscriptions.append(try Subscription(from: &reader, version: version, limits: limits))
        }
    }

    func write(to buffer: inout ByteBuffer, version: ProtocolVersion) throws(ProtocolViolation) {
        guard packetID != 0 else { throw .protocolError("a packet identifier is zero") }
        guard !subscriptions.isEmpty else { throw .protocolError("SUBSCRIBE names no filter") }
        buffer.writeInteger(packetID)
        if version == .v5 { properties.write(to: &buffer) }
        for subscription in subscriptions {
            try buffer.writeText(subscription.filter.text)
            buffer.writeInteger(version == .v5 ? subscription.options : subscription.maximumQoS.rawValue)
        }
    }
}

extension Subscription {
    fileprivate init(
        from reader: inout BodyReader, version: ProtocolVersion, limits: borrowing Limits
    ) throws(ProtocolViolation) {
        filter = try TopicFilter(from: &reader, version: version, limits: limits)
        let options = try reader.byte()
        // [MQTT-3.8.3-5]; in 3.1.1 all but the quality of service is reserved ([MQTT-3-8.3-4] there).
        guard options & (version == .v5 ? 0xC0 : 0xFC) == 0 else {
            throw .malformed("reserved bits of the subscription options are set")
        }
        guard let qos = QoS(rawValue: options & 0x03) else {
            throw version == .v5 ? .protocolError("the maximum QoS is 3") : .malformed("the requested QoS is 3")
        }
        guard let retainHandling = RetainHandling(rawValue: options >> 4 & 0x03) else {
            throw .protocolError("the retain handling is 3")
        }
        maximumQoS = qos
        noLocal = options & 0x04 != 0
        retainAsPublished = options & 0x08 != 0
        self.retainHandling = retainHandling
        guard !noLocal || !filter.isShared else {
            throw .protocolError("a shared subscription is marked no local")  // [MQTT-3.8.3-4]
        }
    }

    fileprivate var options: UInt8 {
        maximumQoS.rawValue | (noLocal ? 0x04 : 0) | (retainAsPublished ? 0x08 : 0) | retainHandling.rawValue << 4
    }
}

extension TopicFilter {
    init(
        from reader: inout BodyReader, version: ProtocolVersion, limits: borrowing Limits
    ) throws(ProtocolViolation) {
        let bytes = try reader.binary()
        // `String(buffer:)` would repair what is not UTF-8, so look first.
        guard bytes.withUnsafeReadableBytes({ TextQuality(of: $0) }) != .illFormed else {
            throw .malformed("a topic filter is not UTF-8 or holds U+0000")
        }
        try self.init(String(buffer: bytes), knowsShares: version == .v5, limits: limits)
    }
}
