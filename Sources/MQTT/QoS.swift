/// The quality of service of a message (section 4.3 of both specifications).
public enum QoS: UInt8, Sendable, Comparable {
    /// Sent once, never acknowledged.
    case atMostOnce = 0
    /// Acknowledged; may arrive more than once.
    case atLeastOnce = 1
    /// Acknowledged in two steps; arrives once.
    case exactlyOnce = 2

    /// A higher quality of service promises more.
    public static func < (left: QoS, right: QoS) -> Bool { left.rawValue < right.rawValue }
}
