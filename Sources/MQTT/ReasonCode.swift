/// Why something was done or refused: the reason codes of MQTT 5.0 (section 2.4), used for both versions.
///
/// In 3.1.1 only CONNACK and SUBACK carry a code; `ReasonCode+Version311.swift` has the translation.
public enum ReasonCode: UInt8, Sendable, CaseIterable {
    /// Success, normal disconnection, or a subscription granted at QoS 0.
    case success = 0x00
    case grantedQoS1 = 0x01
    case grantedQoS2 = 0x02
    case disconnectWithWill = 0x04
    case noMatchingSubscribers = 0x10
    case noSubscriptionExisted = 0x11
    case continueAuthentication = 0x18
    case reauthenticate = 0x19
    case unspecifiedError = 0x80
    case malformedPacket = 0x81
    case protocolError = 0x82
    case implementationSpecificError = 0x83
    case unsupportedProtocolVersion = 0x84
    case clientIdentifierNotValid = 0x85
    case badUserNameOrPassword = 0x86
    case notAuthorized = 0x87
    case serverUnavailable = 0x88
    case serverBusy = 0x89
    case banned = 0x8A
    case serverShuttingDown = 0x8B
    case badAuthenticationMethod = 0x8C
    case keepAliveTimeout = 0x8D
    case sessionTakenOver = 0x8E
    case topicFilterInvalid = 0x8F
    case topicNameInvalid = 0x90
    case packetIdentifierInUse = 0x91
    case packetIdentifierNotFound = 0x92
    case receiveMaximumExceeded = 0x93
    case topicAliasInvalid = 0x94
    case packetTooLarge = 0x95
    case messageRateTooHigh = 0x96
    case quotaExceeded = 0x97
    case administrativeAction = 0x98
    case payloadFormatInvalid = 0x99
    case retainNotSupported = 0x9A
    case qosNotSupported = 0x9B
    case useAnotherServer = 0x9C
    case serverMoved = 0x9D
    case sharedSubscriptionsNotSupported = 0x9E
    case connectionRateExceeded = 0x9F
    case maximumConnectTime = 0xA0
    case subscriptionIdentifiersNotSupported = 0xA1
    case wildcardSubscriptionsNotSupported = 0xA2

    /// Whether this code reports a failure.
    public var isError: Bool { rawValue >= 0x80 }

    /// The SUBACK code that grants `qos`.
    public static func granted(_ qos: QoS) -> ReasonCode {
        switch qos {
        case .atMostOnce: .success
        case .atLeastOnce: .grantedQoS1
        case .exactlyOnce: .grantedQoS2
        }
    }

    /// Whether the specification lists this code for packets of `type` (section 2.4, table 2-6).
    public func isAllowed(in type: PacketType) -> Bool { packets.contains(PacketSet(type)) }

    private var packets: PacketSet {
        switch self {
        case .success:
            [.connack, .puback, .pubrec, .pubrel, .pubcomp, .suback, .unsuback, .disconnect, .auth]
        case .grantedQoS1, .grantedQoS2: .suback
        case .disconnectWithWill: .disconnect
        case .noMatchingSubscribers: [.puback, .pubrec]
        case .noSubscriptionExisted: .unsuback
        case .continueAuthentication, .reauthenticate: .auth
        case .unspecifiedError, .implementationSpecificError, .notAuthorized:
            [.connack, .puback, .pubrec, .suback, .unsuback, .disconnect]
        case .malformedPacket, .protocolError, .serverBusy, .badAuthenticationMethod, .packetTooLarge,
            .retainNotSupported, .qosNotSupported, .useAnotherServer, .serverMoved, .connectionRateExceeded:
            [.connack, .disconnect]
        case .unsupportedProtocolVersion, .clientIdentifierNotValid, .badUserNameOrPassword, .serverUnavailable,
            .banned:
            .connack
        case .serverShuttingDown, .keepAliveTimeout, .sessionTakenOver, .receiveMaximumExceeded, .topicAliasInvalid,
            .messageRateTooHigh, .administrativeAction, .maximumConnectTime:
            .disconnect
        case .topicFilterInvalid: [.suback, .unsuback, .disconnect]
        case .topicNameInvalid, .payloadFormatInvalid: [.connack, .puback, .pubrec, .disconnect]
        case .packetIdentifierInUse: [.puback, .pubrec, .suback, .unsuback]
        case .packetIdentifierNotFound: [.pubrel, .pubcomp]
        case .quotaExceeded: [.connack, .puback, .pubrec, .suback, .disconnect]
        case .sharedSubscriptionsNotSupported, .subscriptionIdentifiersNotSupported, .wildcardSubscriptionsNotSupported:
            [.suback, .disconnect]
        }
    }

    /// Whether a client may give this reason in DISCONNECT (section 3.14.2.1 says which side sends which).
    var isClientDisconnect: Bool {
        switch self {
        case .success, .disconnectWithWill, .unspecifiedError, .malformedPacket, .protocolError,
            .implementationSpecificError, .topicNameInvalid, .receiveMaximumExceeded, .topicAliasInvalid,
            .packetTooLarge, .messageRateTooHigh, .quotaExceeded, .administrativeAction, .payloadFormatInvalid:
            true
        default: false
        }
    }
}
