/// The two versions of MQTT that are spoken here; the raw value is the protocol level in CONNECT (section 3.1.2.2).
public enum ProtocolVersion: UInt8, Sendable {
    /// MQTT 3.1.1, the OASIS standard of 2014.
    case v311 = 4
    /// MQTT 5.0, the OASIS standard of 2019.
    case v5 = 5
}
