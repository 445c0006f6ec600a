import Base

/// An outlet's settings, read once into values that can not be wrong.
enum OutletPath: Sendable, Hashable {
    case mail(MailServer)
    case sms(GatewayTemplate, authorities: String?)
    case webhook(HTTPSAddress, events: [String], authorities: String?)
    case syslog(host: String, port: Int, authorities: String?)

    static let limits = JSONLimits(bytes: 256 << 10, depth: 4)

    /// Reads settings from outside; each wrong member is a fault.
    init(_ kind: DeliveryKind, _ settings: JSONValue) throws(Refusal) {
        var reader = SettingsReader(settings)
        let path = Self.read(kind, &reader)
        reader.refuseOthers()
        guard let path, reader.faults.isEmpty else {
            throw Refusal(
                .invalid, "outlet.settings",
                "The settings are wrong: "
                    + reader.faults.map { "\($0.place) \($0.message)" }.joined(separator: "; ") + ".",
                faults: reader.faults)
        }
        self = path
    }

    private static func read(_ kind: DeliveryKind, _ reader: inout SettingsReader) -> OutletPath? {
        let authorities = reader.authorities()
        switch kind {
        case .mail:
            let host = reader.host()
            let port = reader.port(587)
            let security = reader.choice("security", MailServer.Security.self) ?? (port == 465 ? .tls : .starttls)
            let user = reader.line("user")
            let fromName = reader.line("fromName") ?? ""
            let from = reader.required("from").flatMap { MailAddress($0) }
            if from == nil { reader.add("from", "must be a mail address such as fleet@example.com") }
            guard let host, let from else { return nil }
            return .mail(
                MailServer(
                    host: host, port: port, security: security, user: user, from: from, fromName: fromName,
                    authorities: authorities))
        case .sms:
            let template = GatewayTemplate(
                method: reader.line("method") ?? "POST", address: reader.required("url") ?? "",
                headers: reader.texts("headers"), mediaType: reader.line("contentType") ?? "application/json",
                body: reader.text("body") ?? "")
            if let fault = template.fault { reader.add(fault.place, fault.message) }
            return .sms(template, authorities: authorities)
        case .webhook:
            let address = HTTPSAddress(reader.required("url") ?? "")
            if address == nil {
                reader.add("url", "must be an https:// address of printable ASCII, without user and fragment")
            }
            let events = reader.list("events")
            guard let address else { return nil }
            return .webhook(address, events: events, authorities: authorities)
        case .syslog:
            let host = reader.host()
            let port = reader.port(6514)
            _ = reader.choice("start", StreamStart.self)
            guard let host else { return nil }
            return .syslog(host: host, port: port, authorities: authorities)
        }
    }

    /// All that decides where the secret goes and what as: when any of it changes, the secret must be given again.
    ///
    /// A template can put the secret into a text message to the editor's own telephone, another path of the same
    /// gateway can be another customer's, and another authority can vouch for another host.
    var destination: [String?] {
        switch self {
        case .mail(let server):
            [
                server.host.lowercased(), "\(server.port)", server.security.rawValue, server.user, server.authorities,
            ]
        case .sms(let template, let authorities):
            [template.method, template.address, template.mediaType, template.body, authorities]
                + template.headers.sorted { $0.key < $1.key }.flatMap { header -> [String?] in
                    [header.key, header.value]
                }
        // A signing key never leaves the server.
        case .webhook: []
        case .syslog: []
        }
    }

    /// The host that it leads to.
    var host: String {
        switch self {
        case .mail(let server): server.host
        case .syslog(let name, _, _): name
        case .sms(let template, _): Self.host(of: GatewayTemplate.origin(of: template.address))
        case .webhook(let address, _, _): Self.host(of: address.origin)
        }
    }

    /// The host when it is written as a number, for a refusal at once instead of at the first attempt.
    var literalAddress: NetworkAddress? {
        NetworkAddress(host.hasPrefix("[") ? String(host.dropFirst().prefix { $0 != "]" }) : host)
    }

    private static func host(of origin: String) -> String {
        let authority = origin.dropFirst("https://".count)
        if authority.hasPrefix("[") { return String(authority.prefix { $0 != "]" }) + "]" }
        return String(authority.prefix { $0 != ":" })
    }

    /// Whether audit entries leave by it.
    var streamsAudit: Bool {
        switch self {
        case .syslog: true
        case .webhook(_, let events, _): !events.isEmpty
        case .mail, .sms: false
        }
    }
}

/// From where an audit stream begins.
enum StreamStart: String, CaseIterable, Sendable {
    /// The oldest entry that is kept.
    case beginning
    /// The next entry.
    case now
}

/// Takes members out of a settings object and notes what is wrong with them.
private struct SettingsReader {
    private(set) var faults: [Refusal.Fault] = []
    private var members: [String: JSONValue] = [:]
    private var taken: Set<String> = []

    init(_ settings: JSONValue) {
        if case .object(let members) = settings { self.members = members } else { add("", "must be an object") }
    }

    mutating func add(_ place: String, _ message: String) {
        faults.append(Refusal.Fault(place: "/settings/\(place)", message: message))
    }

    private mutating func take(_ name: String) -> JSONValue? {
        taken.insert(name)
        guard let value = members[name], value != .null else { return nil }
        return value
    }

    mutating func refuseOthers() {
        for name in members.keys.sorted() where !taken.contains(name) { add(name.jsonPointerStep, "is not known here") }
    }

    mutating func text(_ name: String) -> String? {
        guard let value = take(name) else { return nil }
        guard let text = value.string, !text.utf8.contains(0) else {
            add(name, "must be a string")
            return nil
        }
        return text
    }

    mutating func line(_ name: String) -> String? {
        guard let text = text(name), !text.isEmpty else { return nil }
        guard OutboundMessage.isOneLine(text, atMost: DeliveryLimits.subjectBytes) else {
            add(name, "must be one line of at most \(DeliveryLimits.subjectBytes) bytes")
            return nil
        }
        return text
    }

    mutating func required(_ name: String) -> String? {
        let text = text(name)
        if text == nil, members[name] == nil { add(name, "is missing") }
        return text
    }

    mutating func host() -> String? {
        guard let host = required("host") else { return nil }
        guard HTTPSAddress.isHost(host) || NetworkAddress(host) != nil else {
            add("host", "must be a host name or an address")
            return nil
        }
        return host
    }

    mutating func port(_ usual: Int) -> Int {
        guard let value = take("port") else { return usual }
        guard let port = value.integer, (1...65_535).contains(port) else {
            add("port", "must be from 1 to 65535")
            return usual
        }
        return Int(port)
    }

    mutating func choice<C: RawRepresentable & CaseIterable>(_ name: String, _ type: C.Type) -> C?
    where C.RawValue == String {
        guard let text = text(name) else { return nil }
        let choice = C(rawValue: text)
        if choice == nil { add(name, "must be one of " + C.allCases.map(\.rawValue).joined(separator: ", ")) }
        return choice
    }

    mutating func authorities() -> String? {
        guard let text = text("ca"), !text.isEmpty else { return nil }
        guard text.utf8.count <= DeliveryLimits.authorityBytes, text.contains("-----BEGIN CERTIFICATE-----"),
            !text.contains("PRIVATE KEY")
        else {
            add("ca", "must be certificates as PEM, at most \(DeliveryLimits.authorityBytes >> 10) KB")
            return nil
        }
        return text
    }

    mutating func texts(_ name: String) -> [String: String] {
        guard let value = take(name) else { return [:] }
        guard case .object(let members) = value else {
            add(name, "must be an object of strings")
            return [:]
        }
        var texts: [String: String] = [:]
        for (key, value) in members {
            guard let text = value.string else {
                add("\(name)/\(key.jsonPointerStep)", "must be a string")
                continue
            }
            texts[key] = text
        }
        return texts
    }

    mutating func list(_ name: String) -> [String] {
        guard let value = take(name) else { return [] }
        guard case .array(let elements) = value, elements.count <= DeliveryLimits.events else {
            add(name, "must be an array of at most \(DeliveryLimits.events) strings")
            return []
        }
        let texts = elements.compactMap(\.string)
        let areGood = texts.allSatisfy { text in
            (1...DeliveryLimits.eventBytes).contains(text.utf8.count)
                && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || $0 == 0x2E }
        }
        if texts.count != elements.count || !areGood {
            add(name, "must hold audit codes such as device.registered, or how they begin, such as device.")
        }
        return texts
    }
}
