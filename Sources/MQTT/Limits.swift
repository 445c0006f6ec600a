/// Every bound that the codec and the session put on the other side, one value for each listener.
public struct Limits: Sendable, Hashable {
    // MARK: Packets

    /// The largest packet after CONNECT, fixed header included; announced to version 5 clients.
    public var packetSize = 256 * 1024
    /// The largest CONNECT, which comes from somebody not yet known.
    public var connectPacketSize = 16 * 1024
    /// The longest client identifier in bytes. Both specifications demand at least 23.
    public var clientIDLength = 128
    /// The longest topic name or filter in bytes.
    public var topicLength = 256
    /// The most levels of a topic name or filter.
    public var topicLevels = 16
    /// The most user properties in one packet, and in a will.
    public var userProperties = 32

    // MARK: Subscriptions

    /// The most filters in one SUBSCRIBE or UNSUBSCRIBE.
    public var filtersPerPacket = 32
    /// The most subscriptions of a session.
    public var subscriptions = 64
    /// The most SUBSCRIBE and UNSUBSCRIBE packets that await the owner's answer at once.
    public var openRequests = 8
    /// Whether `+` and `#` may stand in filters; without it a version 5 client is told so in CONNACK.
    public var wildcardSubscriptions = false

    // MARK: Messages

    /// The most QoS 1 and 2 messages from the client that are not yet acknowledged.
    ///
    /// Announced to version 5 clients, who break the protocol by exceeding it. A 3.1.1 client cannot be told and is held
    /// back by not being read.
    public var receiveMaximum: UInt16 = 128
    /// The most QoS 2 messages that await PUBREL, those from earlier connections of the session included.
    public var unreleased = 1024
    /// The highest topic alias that a version 5 client may use; zero forbids aliases.
    public var topicAliasMaximum: UInt16 = 16
    /// The most QoS 1 messages sent to the client and not yet acknowledged, whatever it allows.
    public var outboundInFlight = 16
    /// The most messages that wait to be sent to the client.
    public var outboundQueue = 64

    // MARK: Times

    /// How many seconds a connection may take to send CONNECT.
    public var connectSeconds = 10
    /// The longest keep alive in seconds, imposed on version 5 clients that ask for more or for none.
    public var keepAliveMaximum: UInt16 = 3600
    /// The longest time in seconds that a session outlives its connection; a 3.1.1 session without clean session gets it.
    public var sessionExpiryMaximum: UInt32 = 7 * 24 * 3600

    /// The defaults, meant for devices.
    public init() {}

    /// What the specifications themselves allow, for programs that speak as a client to a server they trust.
    public static let specification: Limits = {
        var limits = Limits()
        limits.packetSize = FixedHeader.largestPacket
        limits.connectPacketSize = FixedHeader.largestPacket
        limits.clientIDLength = Int(UInt16.max)
        limits.topicLength = Int(UInt16.max)
        limits.topicLevels = Int(UInt16.max) + 1
        limits.userProperties = .max
        limits.filtersPerPacket = .max
        limits.wildcardSubscriptions = true
        return limits
    }()
}
