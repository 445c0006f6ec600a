/// Where the device side listens and what it bears.
public struct SouthboundConfiguration: Sendable {
    /// An address and a port; port 0 lets the system choose.
    public struct Address: Sendable, Hashable, CustomStringConvertible {
        /// A host name or an IP address.
        public var host: String
        /// The port.
        public var port: Int

        /// This host and port.
        public init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        /// `host:port`, an IPv6 address in brackets.
        public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    /// The listener for HTTP and MQTT, or nil for none.
    public var device: Address?
    /// The listener for MQTT alone, or nil for none.
    public var mqtt: Address?
    /// What may come in.
    public var limits: SouthboundLimits

    /// Listeners at these addresses.
    public init(device: Address?, mqtt: Address?, limits: SouthboundLimits = SouthboundLimits()) {
        self.device = device
        self.mqtt = mqtt
        self.limits = limits
    }
}
