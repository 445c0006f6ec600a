/// The kind of a control packet; the raw value is the upper half of its first byte (section 2.1.2).
public enum PacketType: UInt8, Sendable, CaseIterable {
    case connect = 1
    case connack = 2
    case publish = 3
    case puback = 4
    case pubrec = 5
    case pubrel = 6
    case pubcomp = 7
    case subscribe = 8
    case suback = 9
    case unsubscribe = 10
    case unsuback = 11
    case pingreq = 12
    case pingresp = 13
    case disconnect = 14
    /// Version 5 only; forbidden in 3.1.1.
    case auth = 15

    /// The lower half of the first byte, which is fixed for every kind but PUBLISH [MQTT-2.1.3-1].
    var reservedFlags: UInt8 {
        switch self {
        case .pubrel, .subscribe, .unsubscribe: 0b0010
        default: 0
        }
    }
}

/// A set of places where a property or a reason code may stand: the packets, and the will inside CONNECT.
struct PacketSet: OptionSet {
    let rawValue: UInt32

    static let will = PacketSet(rawValue: 1)
    static let connect = PacketSet(.connect)
    static let connack = PacketSet(.connack)
    static let publish = PacketSet(.publish)
    static let puback = PacketSet(.puback)
    static let pubrec = PacketSet(.pubrec)
    static let pubrel = PacketSet(.pubrel)
    static let pubcomp = PacketSet(.pubcomp)
    static let subscribe = PacketSet(.subscribe)
    static let suback = PacketSet(.suback)
    static let unsubscribe = PacketSet(.unsubscribe)
    static let unsuback = PacketSet(.unsuback)
    static let disconnect = PacketSet(.disconnect)
    static let auth = PacketSet(.auth)

    init(rawValue: UInt32) { self.rawValue = rawValue }

    init(_ type: PacketType) { rawValue = 1 << UInt32(type.rawValue) }
}
