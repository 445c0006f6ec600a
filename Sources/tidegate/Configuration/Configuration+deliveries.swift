import Base
import Delivery
import Foundation

extension Configuration {
    /// What is configured about deliveries.
    struct Deliveries: Sendable {
        /// The mail server for every tenant that has none of its own.
        var mailServer: Address?
        /// How TLS begins there; by the port when nil.
        var mailSecurity: MailServer.Security?
        /// Who signs in there.
        var mailUser: String?
        /// The file with the user's password.
        var mailSecret: String?
        /// The address that mails come from.
        var mailFrom: MailAddress?
        /// The name beside that address.
        var mailName = "Tidegate"
        /// The file with the certificates to trust instead of the system's.
        var mailAuthorities: String?
        /// Networks that are not public and that tenants' outlets may lie in all the same.
        var networks: [AddressRange] = []
        /// Days for which deliveries are kept.
        var days = 30
    }

    /// The settings of the part; it reads the files that the configuration names.
    func deliverySettings(directory: String) throws -> DeliverySettings {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let machine = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return DeliverySettings(
            mailServer: try operatorsMailServer(), policy: NetworkPolicy(allowed: deliveries.networks),
            retention: .seconds(Int64(deliveries.days) * 86_400), host: deployment, node: "\(machine):\(directory)")
    }

    private func operatorsMailServer() throws -> MailServer? {
        guard let server = deliveries.mailServer else { return nil }
        guard let from = deliveries.mailFrom else {
            throw ConfigurationError("mail.server needs mail.from: the address that mails come from")
        }
        return MailServer(
            host: server.host, port: server.port,
            security: deliveries.mailSecurity ?? (server.port == 465 ? .tls : .starttls), user: deliveries.mailUser,
            password: try deliveries.mailSecret.map { path in
                try Self.text(of: path, "mail.secret").trimmingCharacters(in: .newlines)
            }, from: from, fromName: deliveries.mailName,
            authorities: try deliveries.mailAuthorities.map { try Self.text(of: $0, "mail.ca") })
    }

    private static func text(of path: String, _ key: String) throws -> String {
        guard let bytes = FileManager.default.contents(atPath: path), !bytes.isEmpty else {
            throw ConfigurationError("\(key): \(path) can not be read, or is empty")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Setting {
    /// The keys about mail and other deliveries.
    static let deliveries: [Setting] = [
        Setting(
            key: "mail.server",
            sentence:
                "The mail server, as HOST:PORT, for every tenant without one of its own; without it mails rest in the outbox.",
            defaultText: ""
        ) { configuration, text in
            guard !text.isEmpty else { return }
            guard let address = Configuration.Address(text), address.port > 0 else {
                throw ConfigurationError("must be HOST:PORT, for example mail.example.com:587")
            }
            configuration.deliveries.mailServer = address
        },
        Setting(
            key: "mail.security",
            sentence:
                "`starttls` (usual on port 587) or `tls` (usual on port 465); by the port when not set. Plain text is never used.",
            defaultText: ""
        ) { configuration, text in
            guard !text.isEmpty else { return }
            guard let security = MailServer.Security(rawValue: text) else {
                throw ConfigurationError("must be `starttls` or `tls`")
            }
            configuration.deliveries.mailSecurity = security
        },
        Setting(key: "mail.user", sentence: "Who signs in at the mail server; nobody when not set.", defaultText: "") {
            $0.deliveries.mailUser = $1.isEmpty ? nil : $1
        },
        Setting(key: "mail.secret", sentence: "The file that holds the password of `mail.user`.", defaultText: "") {
            $0.deliveries.mailSecret = $1.isEmpty ? nil : $1
        },
        Setting(key: "mail.from", sentence: "The address that mails come from.", defaultText: "") {
            guard !$1.isEmpty else { return }
            guard let address = MailAddress($1) else {
                throw ConfigurationError("must be a mail address such as fleet@example.com")
            }
            $0.deliveries.mailFrom = address
        },
        Setting(key: "mail.name", sentence: "The name beside that address.", defaultText: "Tidegate") {
            guard $1.utf8.count <= 200,
                !$1.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
            else { throw ConfigurationError("must be one line of at most 200 bytes") }
            $0.deliveries.mailName = $1
        },
        Setting(
            key: "mail.ca", sentence: "A file with the certificates (PEM) to trust there instead of the system's.",
            defaultText: ""
        ) { $0.deliveries.mailAuthorities = $1.isEmpty ? nil : $1 },
        Setting(
            key: "delivery.networks",
            sentence:
                "Private networks that tenants' outlets may lie in, such as 10.2.0.0/16; otherwise only public addresses are reached.",
            defaultText: ""
        ) { configuration, text in
            configuration.deliveries.networks = try list(text).map { text in
                guard let range = AddressRange(text) else {
                    throw ConfigurationError("must be networks such as 10.2.0.0/16 or fd00:1::/32")
                }
                return range
            }
        },
        number(
            "delivery.days", "Days for which deliveries are kept, those that rest in the outbox included.", 1...3650,
            "30", \.deliveries.days),
    ]
}
