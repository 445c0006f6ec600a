public import NIOCore

extension Properties {
    /// One property in the bytes: what it is, where it lies, and a reader that stands at its value.
    private struct Field {
        var identifier: PropertyIdentifier
        var range: Range<Int>
        var value: BodyReader
    }

    /// Walks over properties that were checked when they came in or were written here, so that reading cannot fail.
    private struct Fields: Sequence, IteratorProtocol {
        private var reader: BodyReader

        init(_ bytes: ByteBuffer) {
            reader = BodyReader(bytes, at: bytes.readerIndex, length: bytes.readableBytes)
        }

        mutating func next() -> Field? {
            let start = reader.index
            guard let byte = try? reader.byte(), let identifier = PropertyIdentifier(rawValue: byte) else { return nil }
            let value = reader
            guard (try? reader.skip(identifier.form)) != nil else { return nil }
            return Field(identifier: identifier, range: start..<reader.index, value: value)
        }
    }

    func contains(_ identifier: PropertyIdentifier) -> Bool { present & identifier.bit != 0 }

    private func field(_ identifier: PropertyIdentifier) -> Field? {
        guard let encoded, contains(identifier) else { return nil }
        return Fields(encoded).first { $0.identifier == identifier }
    }

    /// Adds what `write` writes; when it fails, nothing is added.
    private mutating func append<Failure: Error>(
        _ identifier: PropertyIdentifier, _ write: (inout ByteBuffer) throws(Failure) -> Void
    ) throws(Failure) {
        var bytes = encoded ?? ByteBuffer()
        encoded = nil  // so that the bytes have one holder and are written in place
        let end = bytes.writerIndex
        do throws(Failure) {
            bytes.writeInteger(identifier.rawValue)
            try write(&bytes)
            encoded = bytes
            present |= identifier.bit
        } catch {
            bytes.moveWriterIndex(to: end)
            encoded = bytes.readableBytes > 0 ? bytes : nil
            throw error
        }
    }

    private mutating func remove(_ identifier: PropertyIdentifier) {
        guard let encoded, contains(identifier) else { return }
        var rest = ByteBuffer()
        for field in Fields(encoded) where field.identifier != identifier {
            guard let bytes = encoded.getSlice(at: field.range.lowerBound, length: field.range.count) else { continue }
            rest.writeImmutableBuffer(bytes)
        }
        self.encoded = rest.readableBytes > 0 ? rest : nil
        present &= ~identifier.bit
    }

    // MARK: Numbers

    private func integer(_ identifier: PropertyIdentifier) -> UInt32? {
        guard var field = field(identifier) else { return nil }
        return try? field.value.integer(identifier.form)
    }

    private mutating func set(_ identifier: PropertyIdentifier, to value: UInt32?) {
        remove(identifier)
        guard let value else { return }
        append(identifier) { bytes in
            switch identifier.form {
            case .flag: bytes.writeInteger(UInt8(truncatingIfNeeded: value))
            case .twoBytes: bytes.writeInteger(UInt16(truncatingIfNeeded: value))
            case .fourBytes: bytes.writeInteger(value)
            default: bytes.writeVariableInteger(Int(value & 0x0FFF_FFFF))
            }
        }
    }

    private func short(_ identifier: PropertyIdentifier) -> UInt16? {
        integer(identifier).map { UInt16(truncatingIfNeeded: $0) }
    }

    private func flag(_ identifier: PropertyIdentifier) -> Bool? { integer(identifier).map { $0 != 0 } }

    /// Whether the payload is UTF-8 text.
    public var payloadIsText: Bool? {
        get { flag(.payloadFormatIndicator) }
        set { set(.payloadFormatIndicator, to: newValue.map { $0 ? 1 : 0 }) }
    }
    /// The seconds after which the message is worthless.
    public var messageExpiryInterval: UInt32? {
        get { integer(.messageExpiryInterval) }
        set { set(.messageExpiryInterval, to: newValue) }
    }
    /// The seconds that the session outlives its connection; all ones mean for ever.
    public var sessionExpiryInterval: UInt32? {
        get { integer(.sessionExpiryInterval) }
        set { set(.sessionExpiryInterval, to: newValue) }
    }
    /// The seconds between the end of the connection and the will.
    public var willDelayInterval: UInt32? {
        get { integer(.willDelayInterval) }
        set { set(.willDelayInterval, to: newValue) }
    }
    /// The largest packet that the sender accepts.
    public var maximumPacketSize: UInt32? {
        get { integer(.maximumPacketSize) }
        set { set(.maximumPacketSize, to: newValue) }
    }
    /// The keep alive in seconds that the server imposes.
    public var serverKeepAlive: UInt16? {
        get { short(.serverKeepAlive) }
        set { set(.serverKeepAlive, to: newValue.map(UInt32.init)) }
    }
    /// The most QoS 1 and 2 messages that the sender takes unacknowledged.
    public var receiveMaximum: UInt16? {
        get { short(.receiveMaximum) }
        set { set(.receiveMaximum, to: newValue.map(UInt32.init)) }
    }
    /// The highest topic alias that the sender accepts.
    public var topicAliasMaximum: UInt16? {
        get { short(.topicAliasMaximum) }
        set { set(.topicAliasMaximum, to: newValue.map(UInt32.init)) }
    }
    /// The number that stands for the topic on this connection.
    public var topicAlias: UInt16? {
        get { short(.topicAlias) }
        set { set(.topicAlias, to: newValue.map(UInt32.init)) }
    }
    /// The highest QoS of messages to the server, when it is not 2.
    public var maximumQoS: QoS? {
        get { integer(.maximumQoS).flatMap { QoS(rawValue: UInt8(truncatingIfNeeded: $0)) } }
        set { set(.maximumQoS, to: newValue == .exactlyOnce ? nil : newValue.map { UInt32($0.rawValue) }) }
    }
    /// Whether the client wants to learn where to expect responses.
    public var requestResponseInformation: Bool? {
        get { flag(.requestResponseInformation) }
        set { set(.requestResponseInformation, to: newValue.map { $0 ? 1 : 0 }) }
    }
    /// Whether the client wants reason strings and user properties with failures.
    public var requestProblemInformation: Bool? {
        get { flag(.requestProblemInformation) }
        set { set(.requestProblemInformation, to: newValue.map { $0 ? 1 : 0 }) }
    }
    /// Whether the server keeps retained messages.
    public var retainAvailable: Bool? {
        get { flag(.retainAvailable) }
        set { set(.retainAvailable, to: newValue.map { $0 ? 1 : 0 }) }
    }
    /// Whether the server takes wildcards in filters.
    public var wildcardSubscriptionAvailable: Bool? {
        get { flag(.wildcardSubscriptionAvailable) }
        set { set(.wildcardSubscriptionAvailable, to: newValue.map { $0 ? 1 : 0 }) }
    }
    /// Whether the server takes subscription identifiers.
    public var subscriptionIdentifierAvailable: Bool? {
        get { flag(.subscriptionIdentifierAvailable) }
        set { set(.subscriptionIdentifierAvailable, to: newValue.map { $0 ? 1 : 0 }) }
    }
    /// Whether the server takes shared subscriptions.
    public var sharedSubscriptionAvailable: Bool? {
        get { flag(.sharedSubscriptionAvailable) }
        set { set(.sharedSubscriptionAvailable, to: newValue.map { $0 ? 1 : 0 }) }
    }
    /// The identifiers of the subscriptions that a message matches, or the one of a SUBSCRIBE.
    public var subscriptionIdentifiers: [UInt32] {
        guard let encoded, contains(.subscriptionIdentifier) else { return [] }
        return Fields(encoded).compactMap { field in
            var field = field
            return field.identifier == .subscriptionIdentifier ? try? field.value.variableInteger() : nil
        }
    }

    /// Adds a subscription identifier, of which 28 bits count.
    public mutating func append(subscriptionIdentifier: UInt32) {
        append(.subscriptionIdentifier) { $0.writeVariableInteger(Int(subscriptionIdentifier & 0x0FFF_FFFF)) }
    }

    // MARK: Texts

    /// The properties whose value is text.
    public enum TextProperty: Sendable {
        case contentType, responseTopic, assignedClientIdentifier, authenticationMethod, responseInformation
        case serverReference, reasonString

        var identifier: PropertyIdentifier {
            switch self {
            case .contentType: .contentType
            case .responseTopic: .responseTopic
            case .assignedClientIdentifier: .assignedClientIdentifier
            case .authenticationMethod: .authenticationMethod
            case .responseInformation: .responseInformation
            case .serverReference: .serverReference
            case .reasonString: .reasonString
            }
        }
    }

    /// The value of a text property.
    public subscript(property: TextProperty) -> String? {
        guard var field = field(property.identifier) else { return nil }
        return try? field.value.text()
    }

    /// Sets a text property, or says that the text is longer than the protocol can carry.
    public mutating func set(_ property: TextProperty, to text: String) throws(ProtocolViolation) {
        remove(property.identifier)
        try append(property.identifier) { bytes throws(ProtocolViolation) in try bytes.writeText(text) }
    }

    /// The user properties in the order they stand in.
    public var userProperties: [UserProperty] {
        guard let encoded, contains(.userProperty) else { return [] }
        return Fields(encoded).compactMap { field in
            var value = field.value
            guard field.identifier == .userProperty, let name = try? value.text(), let text = try? value.text() else {
                return nil
            }
            return UserProperty(name, text)
        }
    }

    /// Adds a user property after those that are there.
    public mutating func append(_ property: UserProperty) throws(ProtocolViolation) {
        try append(.userProperty) { bytes throws(ProtocolViolation) in
            try bytes.writeText(property.name)
            try bytes.writeText(property.value)
        }
    }

    // MARK: Binary data

    /// What ties a response to its request.
    public var correlationData: ByteBuffer? { binary(.correlationData) }

    /// What an authentication method exchanges.
    public var authenticationData: ByteBuffer? { binary(.authenticationData) }

    /// Sets the correlation data.
    public mutating func set(correlationData: ByteBuffer) throws(ProtocolViolation) {
        try set(.correlationData, to: correlationData)
    }

    /// Sets the authentication data, which needs an authentication method beside it.
    public mutating func set(authenticationData: ByteBuffer) throws(ProtocolViolation) {
        try set(.authenticationData, to: authenticationData)
    }

    private func binary(_ identifier: PropertyIdentifier) -> ByteBuffer? {
        guard var field = field(identifier) else { return nil }
        return try? field.value.binary()
    }

    private mutating func set(_ identifier: PropertyIdentifier, to data: ByteBuffer) throws(ProtocolViolation) {
        remove(identifier)
        try append(identifier) { bytes throws(ProtocolViolation) in try bytes.writeBinary(data) }
    }
}

extension BodyReader {
    /// Reads a number in one of the forms of section 2.2.2.2.
    mutating func integer(_ form: PropertyIdentifier.Form) throws(ProtocolViolation) -> UInt32 {
        switch form {
        case .flag: UInt32(try byte())
        case .twoBytes: UInt32(try uint16())
        case .fourBytes: try uint32()
        default: try variableInteger()
        }
    }

    /// Moves past a value whose content was checked before.
    fileprivate mutating func skip(_ form: PropertyIdentifier.Form) throws(ProtocolViolation) {
        switch form {
        case .flag, .twoBytes, .fourBytes, .variableInteger: _ = try integer(form)
        case .text, .binary: try skip(Int(try uint16()))
        case .textPair:
            try skip(Int(try uint16()))
            try skip(Int(try uint16()))
        }
    }
}
