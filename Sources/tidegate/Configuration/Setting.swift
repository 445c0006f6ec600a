import Access
import Base
import FoundationEssentials

/// One key of the configuration: its name in the file, its sentence, and how its text becomes a value.
struct Setting: Sendable {
    /// The dotted key, such as `listeners.people`.
    var key: String
    /// What it does, for `tidegate settings` and the operations guide.
    var sentence: String
    /// What holds when it is not given, as text.
    var defaultText: String
    /// Sets it; lists come joined by commas.
    var apply: @Sendable (inout Configuration, String) throws -> Void

    /// The environment variable that overrides the file.
    var variable: String { "TIDEGATE_" + key.uppercased().replacing(".", with: "_") }

    /// Every key there is.
    static let all: [Setting] = server + deliveries + directories

    /// The keys about the server itself.
    private static let server: [Setting] = [
        Setting(
            key: "deployment", sentence: "The name in all certificates; choose it once, before the first start.",
            defaultText: "localhost"
        ) { $0.deployment = $1 },
        address(
            "listeners.people", "Where people and programs reach the console and the API.", "0.0.0.0:8443",
            \.listeners.people),
        Setting(
            key: "listeners.platform",
            sentence:
                "Where the platform's own staff sign in, such as 127.0.0.1:8446; a port alone is on 127.0.0.1, and empty opens none.",
            defaultText: ""
        ) { configuration, text in
            configuration.listeners.platform =
                text.isEmpty ? nil : try parse(Int(text) == nil ? text : "127.0.0.1:\(text)")
        },
        url("people.url", "the people listener", "https://fleet.example.com", \.peopleURL),
        url("platform.url", "the platform listener", "https://staff.example.com", \.platformURL),
        Setting(
            key: "people.trustedProxies",
            sentence:
                "Addresses or ranges of your own proxies before the people and platform listeners; only what these write into X-Forwarded-For counts.",
            defaultText: ""
        ) { configuration, text in
            configuration.trustedProxies = try list(text).map { word in
                guard let range = AddressRange(word) else {
                    throw ConfigurationError("must hold addresses or ranges such as 10.0.0.0/8, not \(word)")
                }
                return range
            }
        },
        number(
            "signin.threads",
            "How many passwords are checked at once; each takes 19 MB of memory and at most a processor that nobody else needs.",
            1...64, "1", \.signInThreads),
        Setting(
            key: "administrator.address",
            sentence:
                "The e-mail address of the first administrator, made at a start when nobody can sign in yet, instead of the set-up link.",
            defaultText: ""
        ) { $0.administrator.address = $1.isEmpty ? nil : $1 },
        Setting(
            key: "administrator.passwordFile",
            sentence: "The file with that administrator's password, which only its owner and group may read.",
            defaultText: ""
        ) { $0.administrator.passwordFile = $1.isEmpty ? nil : $1 },
        Setting(
            key: "administrator.organisation", sentence: "The organisation that administrator begins with.",
            defaultText: "Main"
        ) { $0.administrator.organisation = $1 },
        Setting(
            key: "administrator.timeZone",
            sentence: "The time zone in which that organisation's times are shown, such as Europe/Berlin.",
            defaultText: ""
        ) { configuration, text in
            guard !text.isEmpty else { return }
            guard let zone = TimeZoneName(text) else {
                throw ConfigurationError("must be a time zone such as Europe/Berlin")
            }
            configuration.administrator.timeZone = zone.text
        },
        address(
            "listeners.device", "Where devices connect (EST, telemetry, MQTT by ALPN).", "0.0.0.0:8444",
            \.listeners.device),
        address("listeners.mqtt", "Where devices without ALPN speak MQTT over TLS.", "0.0.0.0:8883", \.listeners.mqtt),
        Setting(
            key: "listeners.metrics",
            sentence: "Prometheus metrics, health and readiness, in plain text: loopback only.",
            defaultText: "127.0.0.1:9464"
        ) { configuration, text in
            let address = try parse(text)
            guard ["127.0.0.1", "::1", "localhost"].contains(address.host) else {
                throw ConfigurationError("must be on loopback (127.0.0.1 or ::1), because it speaks plain text")
            }
            configuration.listeners.metrics = address
        },
        Setting(
            key: "listeners.programs",
            sentence:
                "Where programs get OAuth tokens by their certificate (it asks each caller for one), such as 0.0.0.0:8445; not opened by default.",
            defaultText: ""
        ) { $0.listeners.programs = $1.isEmpty ? nil : try parse($1) },
        Setting(
            key: "database", sentence: "`sqlite` (a file in the data directory) or a `postgres://` URL.",
            defaultText: "sqlite"
        ) { configuration, text in
            guard text == "sqlite" || text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") else {
                throw ConfigurationError("must be `sqlite` or a URL like postgres://user@host/name")
            }
            configuration.database = text
        },
        Setting(
            key: "tls.names",
            sentence:
                "Host names and IP addresses by which clients reach this server, for its certificates; the deployment's name and localhost are always in.",
            defaultText: ""
        ) { $0.serverNames = list($1) },
        Setting(
            key: "tls.people.certificate", sentence: "Your own certificate chain (PEM) for the people listener.",
            defaultText: ""
        ) { $0.peopleCertificate = $1.isEmpty ? nil : $1 },
        Setting(key: "tls.people.key", sentence: "The private key (PEM) of that certificate.", defaultText: "") {
            $0.peopleKey = $1.isEmpty ? nil : $1
        },
        Setting(key: "log.format", sentence: "`text` for eyes or `json` for programs.", defaultText: "text") {
            guard let format = Configuration.LogFormat(rawValue: $1) else {
                throw ConfigurationError("must be `text` or `json`")
            }
            $0.logFormat = format
        },
        Setting(
            key: "log.level", sentence: "`trace`, `debug`, `info`, `notice`, `warning`, `error` or `critical`.",
            defaultText: "info"
        ) {
            guard ["trace", "debug", "info", "notice", "warning", "error", "critical"].contains($1) else {
                throw ConfigurationError("must be trace, debug, info, notice, warning, error or critical")
            }
            $0.logLevel = $1
        },
        number(
            "telemetry.days", "Days for which raw readings are kept; hourly summaries stay ten times as long.",
            1...36_500, "3650", \.telemetryDays),
        number("events.days", "Days for which devices' events are kept.", 1...36_500, "90", \.eventDays),
        Setting(
            key: "backup.directory",
            sentence:
                "Where automatic backups go; `backups` in the data directory when not set, `none` for no backups.",
            defaultText: "backups"
        ) { $0.backupDirectory = $1.isEmpty ? nil : $1 },
        Setting(
            key: "backup.keys",
            sentence: "Where the backups' key files go: better not where the archives lie; beside them when not set.",
            defaultText: ""
        ) { $0.backupKeys = $1.isEmpty ? nil : $1 },
        number("backup.every", "Hours between automatic backups.", 1...8760, "24", \.backupEveryHours),
        number("backup.keep", "How many automatic backups are kept.", 1...10_000, "14", \.backupsKept),
        number(
            "device.threads", "Event loops for devices; 0 takes one for each processor that the process may use.",
            0...256, "0", \.deviceThreads),
        number(
            "device.connections", "The most device connections at once.", 1...10_000_000, "1000000",
            \.maximumConnections),
    ]

    private static func parse(_ text: String) throws -> Configuration.Address {
        guard let address = Configuration.Address(text) else {
            throw ConfigurationError("must be HOST:PORT, for example 0.0.0.0:8443 or [::]:8443")
        }
        return address
    }

    private static func address(
        _ key: String, _ sentence: String, _ defaultText: String,
        _ path: any WritableKeyPath<Configuration, Configuration.Address> & Sendable
    ) -> Setting {
        Setting(key: key, sentence: sentence, defaultText: defaultText) { $0[keyPath: path] = try parse($1) }
    }

    private static func url(
        _ key: String, _ listener: String, _ example: String,
        _ path: any WritableKeyPath<Configuration, String?> & Sendable
    ) -> Setting {
        Setting(
            key: key,
            sentence:
                "The address by which people reach \(listener), such as \(example), when it is not the deployment's name and the listener's port.",
            defaultText: ""
        ) { configuration, text in
            if text.isEmpty { return configuration[keyPath: path] = nil }
            guard text.hasPrefix("https://"), let parts = URLComponents(string: text), parts.host?.isEmpty == false,
                parts.user == nil, parts.path.isEmpty, parts.query == nil, parts.fragment == nil
            else { throw ConfigurationError("must be https:// with a host, perhaps a port, and nothing else") }
            configuration[keyPath: path] = text
        }
    }

    static func number(
        _ key: String, _ sentence: String, _ range: ClosedRange<Int>, _ defaultText: String,
        _ path: any WritableKeyPath<Configuration, Int> & Sendable
    ) -> Setting {
        Setting(key: key, sentence: sentence, defaultText: defaultText) {
            guard let value = Int($1), range.contains(value) else {
                throw ConfigurationError("must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            $0[keyPath: path] = value
        }
    }

    static func list(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.trimmingPrefix(" ") }.map(String.init).filter { !$0.isEmpty }
    }
}
