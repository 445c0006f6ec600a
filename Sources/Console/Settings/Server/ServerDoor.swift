/// A listener of this server, as a firewall's administrator needs to know it.
public struct ServerDoor: Sendable, Hashable {
    /// Who comes in by it.
    public enum Visitors: String, Sendable {
        /// People with browsers, and programs with tokens.
        case people
        /// Devices by HTTPS.
        case devices
        /// Devices by MQTT.
        case mqtt
        /// Programs with certificates.
        case programs
        /// The platform's staff.
        case platform
        /// Whoever collects figures.
        case metrics
    }

    /// Who comes in by it.
    let visitors: Visitors
    /// The network address that it listens at.
    let host: String
    /// Its port.
    let port: Int

    /// A listener at an address.
    public init(_ visitors: Visitors, host: String, port: Int) {
        self.visitors = visitors
        self.host = host
        self.port = port
    }

    /// Whether only this machine itself can reach it.
    var isLocal: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

    /// Whether devices come in by it, so that their sites must let them out.
    var isForDevices: Bool { visitors == .devices || visitors == .mqtt }

    /// What is spoken there.
    var `protocol`: String { visitors == .metrics ? "HTTP" : visitors == .mqtt ? "MQTT over TLS" : "HTTPS" }

    /// Why it is there.
    var why: String {
        switch visitors {
        case .people: "Console and API, for people and programs"
        case .devices: "Enrolment, certificates and readings of devices"
        case .mqtt: "Readings, documents and events of devices"
        case .programs: "API, for programs that have a certificate"
        case .platform: "Console of the platform's staff"
        case .metrics: "Figures for monitoring, without sign-in"
        }
    }
}
