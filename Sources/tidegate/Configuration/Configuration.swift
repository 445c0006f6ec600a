import Base

/// Everything that an operator can set, with its defaults; read from one YAML file and the environment.
struct Configuration: Sendable {
    /// The name in certificates.
    var deployment = "localhost"
    /// Where each listener binds.
    var listeners = Listeners()
    /// The address by which people and programs reach the people listener, when it is not the deployment's name.
    var peopleURL: String?
    /// `sqlite`, or a `postgres://` URL.
    var database = "sqlite"
    /// Names and addresses that clients use for this server, in its certificates.
    var serverNames: [String] = []
    /// The operator's own certificate for the people listener, and its key.
    var peopleCertificate: String?
    /// The key of `peopleCertificate`.
    var peopleKey: String?
    /// The address by which the platform's staff reach the platform listener, when it is not the deployment's name.
    var platformURL: String?
    /// The operator's own proxies before the people and platform listeners.
    var trustedProxies: [AddressRange] = []
    /// Sign-ins that are computed at once.
    var signInThreads = 1
    /// The first administrator, for installations without a person.
    var administrator = Administrator()
    /// `text` or `json`.
    var logFormat = LogFormat.text
    /// The least severe messages that are logged.
    var logLevel = "info"
    /// How long raw readings are kept when a tenant's plan allows more.
    var telemetryDays = 3650
    /// How long devices' events are kept.
    var eventDays = 90
    /// Where backups go; none are made when empty.
    var backupDirectory: String?
    /// Where the key bundles of backups go; beside the archives when nil.
    var backupKeys: String?
    /// Hours between automatic backups.
    var backupEveryHours = 24
    /// How many automatic backups are kept.
    var backupsKept = 14
    /// Event loops of the device side; 0 takes one for each processor.
    var deviceThreads = 0
    /// Connections of the device side, over all tenants.
    var maximumConnections = 1_000_000
    /// Networks that are not public and that tenants' directories may lie in all the same.
    var directoryNetworks: [AddressRange] = []
    /// Mail and other deliveries.
    var deliveries = Deliveries()

    /// How log lines are written.
    enum LogFormat: String, Sendable, CaseIterable {
        case text
        case json
    }

    /// Who is made the first administrator when nobody can sign in yet.
    struct Administrator: Sendable {
        /// The e-mail address; nobody when nil.
        var address: String?
        /// The file with the password.
        var passwordFile: String?
        /// The name of the organisation that they begin with.
        var organisation = "Main"
        /// The organisation's time zone.
        var timeZone: String?
    }

    /// One listener's place.
    struct Address: Sendable, Equatable, CustomStringConvertible {
        var host: String
        var port: Int

        /// `host:port`, or `[v6]:port`.
        init?(_ text: String) {
            guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
                (0...65_535).contains(port)
            else { return nil }
            var host = String(text[..<colon])
            if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
            guard !host.isEmpty else { return nil }
            self.host = host
            self.port = port
        }

        init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    /// The listeners of DESIGN's outer interface.
    struct Listeners: Sendable {
        var people = Address(host: "0.0.0.0", port: 8443)
        /// Not opened by default.
        var platform: Address?
        var device = Address(host: "0.0.0.0", port: 8444)
        var mqtt = Address(host: "0.0.0.0", port: 8883)
        var metrics = Address(host: "127.0.0.1", port: 9464)
        /// Where programs connect that have a certificate; nil is nowhere.
        var programs: Address?

        /// Moves all ports so that the people listener's becomes `base` and the others keep their order behind it.
        mutating func move(toBase base: Int) {
            people.port = base
            device.port = base + 1
            mqtt.port = base + 2
            metrics.port = base + 3
            programs?.port = base + 4
            platform?.port = base + 5
        }
    }
}

/// Why a configuration was refused: one line that says where and what would be right.
struct ConfigurationError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}
