public import NIOCore

/// CONNECT: a client introduces itself (section 3.1).
public struct Connect: Sendable, Hashable {
    /// The version that the client speaks from here on.
    public var version: ProtocolVersion
    /// Whether an earlier session is forgotten: clean session in 3.1.1, clean start in 5.0.
    public var cleanStart: Bool
    /// The longest silence in seconds that the client promises, or 0 for no promise.
    public var keepAlive: UInt16
    /// The name that the client gives itself; empty when it leaves that to the server.
    public var clientID: String
    /// What to publish when the connection ends unexpectedly.
    public var will: Will?
    /// Who the client says it is.
    public var userName: String?
    /// The proof, as bytes.
    public var password: ByteBuffer?
    /// The properties of version 5.
    public var properties: Properties

    /// A CONNECT with these fields.
    public init(
        version: ProtocolVersion, clientID: String, cleanStart: Bool = true, keepAlive: UInt16 = 60, will: Will? = nil,
        userName: String? = nil, password: ByteBuffer? = nil, properties: Properties = .init()
    ) {
        self.version = version
        self.cleanStart = cleanStart
        self.keepAlive = keepAlive
        self.clientID = clientID
        self.will = will
        self.userName = userName
        self.password = password
        self.properties = properties
    }
}

/// The message that a client leaves with the server for the case that its connection breaks (section 3.1.2.5).
public struct Will: Sendable, Hashable {
    /// Where to publish it.
    public var topic: Topic
    /// The content.
    public var payload: ByteBuffer
    /// The quality of service to publish it with.
    public var qos: QoS
    /// Whether it shall be retained.
    public var retain: Bool
    /// The properties of version 5, the delay among them.
    public var properties: Properties

    /// A will with these fields.
    public init(
        topic: Topic, payload: ByteBuffer, qos: QoS = .atMostOnce, retain: Bool = false,
        properties: Properties = .init()
    ) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.retain = retain
        self.properties = properties
    }

    /// The same will with storage of its own, to be kept as long as the connection.
    var detached: Will {
        Will(
            topic: topic.detached, payload: payload.withUnsafeReadableBytes { ByteBuffer(bytes: $0) }, qos: qos,
            retain: retain, properties: properties.detached)
    }
}

extension Connect {
    private static let reservedFlag: UInt8 = 0x01
    private static let cleanStartFlag: UInt8 = 0x02
    private static let willFlag: UInt8 = 0x04
    private static let willRetainFlag: UInt8 = 0x20
    private static let passwordFlag: UInt8 = 0x40
    private static let userNameFlag: UInt8 = 0x80

    /// Reads protocol name and level (sections 3.1.2.1 and 3.1.2.2), before which nothing else can be understood.
    static func version(from reader: inout BodyReader) throws(ProtocolViolation) -> Level {
        let name = try reader.binary()
        let level = try reader.byte()
        if name == ByteBuffer(string: "MQTT") {
            return ProtocolVersion(rawValue: level).map(Level.known) ?? .unknown(level)
        }
        // MQTT 3.1, which had another name.
        if name == ByteBuffer(string: "MQIsdp") { return .unknown(level) }
        throw ProtocolViolation(.unsupportedProtocolVersion, "the protocol is not MQTT")  // [MQTT-3.1.2-1]
    }

    /// The protocol level that a CONNECT names.
    enum Level: Equatable {
        case known(ProtocolVersion)
        case unknown(UInt8)
    }

    /// Reads what follows the protocol level.
    init(
        from reader: inout BodyReader, version: ProtocolVersion, limits: borrowing Limits
    ) throws(ProtocolViolation) {
        let flags = try reader.byte()
        // [MQTT-3.1.2-3], [MQTT-3.1.2-12]
        guard flags & Self.reservedFlag == 0 else { throw .malformed("the reserved CONNECT flag is set") }
        let hasWill = flags & Self.willFlag != 0
        guard let willQoS = QoS(rawValue: flags >> 3 & 0x03) else { throw .malformed("the will's QoS is 3") }
        let willRetain = flags & Self.willRetainFlag != 0
        guard hasWill || willQoS == .atMostOnce && !willRetain else {
            throw .malformed("will flags are set without a will")  // [MQTT-3.1.2-11], [MQTT-3.1.2-13]
        }
        let hasUserName = flags & Self.userNameFlag != 0
        let hasPassword = flags & Self.passwordFlag != 0
        // 3.1.1, [MQTT-3.1.2-22]; version 5 allows a password alone.
        guard version == .v5 || hasUserName || !hasPassword else {
            throw .malformed("a password stands without a user name")
        }
        self.version = version
        cleanStart = flags & Self.cleanStartFlag != 0
        keepAlive = try reader.uint16()
        properties = version == .v5 ? try Properties(from: &reader, in: .connect, limits: limits) : Properties()
        clientID = try Self.clientID(from: &reader, limits: limits)
        will =
            hasWill
            ? try Will(from: &reader, qos: willQoS, retain: willRetain, version: version, limits: limits) : nil
        userName = hasUserName ? try reader.text() : nil
        password = hasPassword ? try reader.binary() : nil
        try reader.finish()
    }

    private static func clientID(
        from reader: inout BodyReader, limits: borrowing Limits
    ) throws(ProtocolViolation) -> String {
        let bytes = try reader.binary()
        guard bytes.readableBytes <= limits.clientIDLength else {
            throw ProtocolViolation(.clientIdentifierNotValid, "the client identifier is too long")
        }
        switch bytes.withUnsafeReadableBytes({ TextQuality(of: $0) }) {
        case .clean: return String(buffer: bytes)
        case .unusual:
            throw ProtocolViolation(.clientIdentifierNotValid, "the client identifier holds a control character")
        case .illFormed: throw .malformed("the client identifier is not UTF-8")  // [MQTT-3.1.3-4]
        }
    }

    func write(to buffer: inout ByteBuffer) throws(ProtocolViolation) {
        var flags: UInt8 = 0
        if cleanStart { flags |= Self.cleanStartFlag }
        if let will {
            flags |= Self.willFlag | will.qos.rawValue << 3
            if will.retain { flags |= Self.willRetainFlag }
        }
        if password != nil { flags |= Self.passwordFlag }
        if userName != nil { flags |= Self.userNameFlag }
        try buffer.writeText("MQTT")
        buffer.writeInteger(version.rawValue)
        buffer.writeInteger(flags)
        buffer.writeInteger(keepAlive)
        if version == .v5 { properties.write(to: &buffer) }
        try buffer.writeText(clientID)
        if let will {
            if version == .v5 { will.properties.write(to: &buffer) }
            try buffer.writeBinary(will.topic.bytes)
            try buffer.writeBinary(will.payload)
        }
        if let userName { try buffer.writeText(userName) }
        if let password { try buffer.writeBinary(password) }
    }
}

extension Will {
    init(
        from reader: inout BodyReader, qos: QoS, retain: Bool, version: ProtocolVersion, limits: borrowing Limits
    ) throws(ProtocolViolation) {
        properties = version == .v5 ? try Properties(from: &reader, in: .will, limits: limits) : Properties()
        topic = try Topic(checking: try reader.binary(), limits: limits)
        guard !topic.isEmpty else { throw .malformed("the will's topic is empty") }  // [MQTT-4.7.3-1]
        payload = try reader.binary()
        self.qos = qos
        self.retain = retain
    }
}
