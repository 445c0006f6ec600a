import Access
import Base
import Delivery
import Northbound
import Storage

/// The form in which an outlet is set up: one for each kind, with a field for each member of its settings.
enum OutletForm {
    /// A member of an outlet's settings as a form asks for it.
    struct Member {
        let name: String
        let label: String
        var hint: String?
        var usual = ""
        var choices: [(String, String)] = []
        /// Whether it takes several lines.
        var isLong = false
        var isRequired = false
    }

    private static let authorities = Member(
        name: "ca", label: "Trusted certificates", hint: "PEM, to trust instead of the system's.", isLong: true)

    static func members(of kind: DeliveryKind) -> [Member] {
        switch kind {
        case .mail:
            [
                Member(name: "host", label: "Host", isRequired: true),
                Member(name: "port", label: "Port", usual: "587"),
                Member(
                    name: "security", label: "TLS",
                    choices: [
                        ("starttls", "Begins in the clear, then STARTTLS (587)"), ("tls", "From the start (465)"),
                    ]
                ),
                Member(name: "user", label: "User", hint: "Empty when the server asks for none."),
                Member(name: "from", label: "From", hint: "The address that mails come from.", isRequired: true),
                Member(name: "fromName", label: "Name beside it"), authorities,
            ]
        case .sms:
            [
                Member(
                    name: "url", label: "Address",
                    hint: "https://…; {to}, {text}, {id} and {secret} may stand in its path and query.",
                    isRequired: true),
                Member(
                    name: "method", label: "Method", usual: "POST",
                    choices: [("POST", "POST"), ("PUT", "PUT"), ("GET", "GET")]),
                Member(
                    name: "headers", label: "Header fields",
                    hint: "One on each line, such as Authorization: Bearer {secret}.", isLong: true),
                Member(name: "contentType", label: "Content type", usual: "application/json"),
                Member(
                    name: "body", label: "Body", hint: "Each value is escaped for its place.",
                    usual: "{\"to\":\"{to}\",\"text\":\"{text}\"}", isLong: true), authorities,
            ]
        case .webhook:
            [
                Member(name: "url", label: "Address", hint: "https://…", isRequired: true),
                Member(
                    name: "events", label: "Events",
                    hint: "Audit codes or how they begin, one on each line, such as device. "
                        + "Empty is none of the audit log. Takes the permission audit.export.", isLong: true),
                authorities,
            ]
        case .syslog:
            [
                Member(name: "host", label: "Host", isRequired: true),
                Member(name: "port", label: "Port", usual: "6514"),
                Member(
                    name: "start", label: "Begins with",
                    choices: [("now", "The next entry"), ("beginning", "The oldest entry that is kept")]),
                authorities,
            ]
        }
    }

    private static func fields(
        _ kind: DeliveryKind, _ sent: FormFields?, _ outlet: Outlet?
    ) -> [SettingsForm.Field] {
        let name = sent?.text("name") ?? outlet?.name.text
        var fields: [SettingsForm.Field] = [
            .text("name", "Name", name, hint: "Letters, digits and . _ : -", isRequired: true, longest: 128)
        ]
        for member in members(of: kind) {
            let value = sent.map { $0.has(member.name) ? $0.exact(member.name) : nil } ?? nil
            let text = value ?? outlet.map { words($0.settings[member.name]) } ?? member.usual
            if !member.choices.isEmpty {
                fields.append(
                    .choice(member.name, member.label, member.choices, chosen: text, hint: member.hint))
            } else if member.isLong {
                fields.append(.area(member.name, member.label, text, hint: member.hint))
            } else {
                fields.append(
                    .text(
                        member.name, member.label, text, hint: member.hint, isRequired: member.isRequired,
                        longest: DeliveryLimits.addressBytes))
            }
        }
        let secret: (label: String, hint: String)? =
            switch kind {
            case .mail: ("Password", "")
            case .sms: ("Key", "It stands where {secret} is.")
            case .webhook: ("Signing secret", outlet == nil ? "Left empty, one is made and shown once." : "")
            case .syslog: nil
            }
        if let secret {
            let kept = outlet?.hasSecret == true ? "Left empty, the present one stays. " : ""
            fields.append(
                .text(
                    "secret", secret.label, nil, hint: kept + secret.hint + " It is sealed and never shown.",
                    type: "password", longest: DeliveryLimits.secretBytes))
        }
        // What carries links and codes is not changed without saying why.
        if kind.carriesLinks { fields.append(.reason(sent ?? FormFields(), isRequired: true)) }
        return fields
    }

    /// A member of settings as its field shows it.
    static func words(_ value: JSONValue?) -> String {
        switch value {
        case .string(let text)?: text
        case .array(let items)?: items.compactMap(\.string).joined(separator: "\n")
        case .object(let fields)?:
            fields.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.string ?? "")" }.joined(separator: "\n")
        case nil, .null?: ""
        case let other?: other.canonical
        }
    }

    /// The settings that a form describes; what is wrong in them is Delivery's to say.
    private static func settings(_ kind: DeliveryKind, _ sent: FormFields) -> JSONValue {
        var settings: [String: JSONValue] = [:]
        for member in members(of: kind) {
            guard let text = sent.text(member.name) else { continue }
            switch member.name {
            case "port": settings["port"] = Int64(text).map { .integer($0) } ?? .string(text)
            case "events":
                settings["events"] = .array(
                    text.split { $0.isWhitespace || $0 == "," }.map { .string(String($0)) })
            case "headers":
                var headers: [String: JSONValue] = [:]
                for line in text.split(whereSeparator: \.isNewline) {
                    let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                    let value = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
                    headers[String(parts[0])] = .string(value)
                }
                settings["headers"] = .object(headers)
            default: settings[member.name] = .string(text)
            }
        }
        return .object(settings)
    }

    private static func kind(_ visit: SettingsVisit) throws -> DeliveryKind {
        guard let kind = DeliveryKind(rawValue: visit.path("kind")) else { throw Gatekeeper.notHere }
        return kind
    }

    private static func name(_ sent: FormFields) throws -> Name {
        guard let name = sent.text("name").flatMap({ Name($0) }) else {
            throw Refusal(
                .invalid, "outlet.invalid",
                "A name is 1 to 128 letters, digits and ._:- and starts with a letter or digit.",
                faults: [.init(place: "name", message: "is not such a name")])
        }
        return name
    }

    /// Decides whether the visitor may make, change, switch or delete an outlet with these settings, the old and the new.
    static func authorize(
        _ kind: DeliveryKind, _ settings: [JSONValue], _ visit: SettingsVisit
    ) async throws {
        let (access, principal, tenant) = (visit.console.access, visit.principal, visit.tenantID)
        try await visit.console.database.tenant(tenant).read { tx in
            try access.authorizeOutlet(principal, kind, settings, of: tenant, in: tx)
        }
    }

    /// Settings that somebody proposes, whole: whoever approves them sees what they do.
    static func facts(_ settings: JSONValue) -> [SettingsRecord.Fact] {
        guard case .object(let given) = settings else { return [] }
        let labels = Dictionary(
            DeliveryKind.allCases.flatMap { members(of: $0) }.map { ($0.name, $0.label) },
            uniquingKeysWith: { one, _ in one })
        return given.sorted { $0.key < $1.key }.map { name, value in
            .init(labels[name] ?? name, .code(words(value)))
        }
    }

    // MARK: - Making and changing

    static func making(_ visit: SettingsVisit, _ sent: FormFields) async throws -> SettingsForm {
        try await visit.authorize(.deliveryManage)
        let kind = try kind(visit)
        try await authorize(kind, [], visit)
        return SettingsForm(
            visit.place, "New \(kind.inSentence)", effect: effect(kind), action: visit.address("new", kind.rawValue),
            fields: fields(kind, sent, nil), verb: "Set it up", back: visit.address())
    }

    private static func effect(_ kind: DeliveryKind) -> String {
        switch kind {
        case .mail: "Mails of this organisation leave by it: invitations, links to new passwords, notices."
        case .sms: "Codes and notices by text message leave by it."
        case .webhook: "Your application gets a signed request for each event (Standard Webhooks)."
        case .syslog: "The whole audit log is streamed to it by TLS, from a remembered position (RFC 5424)."
        }
    }

    static func make(_ visit: SettingsVisit) async throws -> Outcome {
        let sent = visit.form
        return try await making(visit, sent).answering {
            let kind = try kind(visit)
            let settings = settings(kind, sent)
            let draft = OutletDraft(
                name: try name(sent), kind: kind, settings: settings, secret: sent.text("secret"))
            return try await visit.change("outlet.put", draft.change) {
                let made = try await visit.outlets.create(
                    draft, reason: visit.reason, tenant: visit.tenantID, by: visit.principal)
                let address = visit.address(made.outlet.id.text)
                guard let secret = made.secret else { return .seeOther(address, done: .created) }
                return .show(
                    SecretPage(
                        visit.place, "The signing secret of \(made.outlet.name)",
                        "Your application checks each request by it. It is not shown again.", secret: secret,
                        label: "Signing secret", back: address))
            }
        }
    }

    static func changing(_ visit: SettingsVisit, _ sent: FormFields?) async throws -> SettingsForm {
        let outlet = try await OutletPages.find(visit, .deliveryManage)
        try await authorize(outlet.kind, [outlet.settings], visit)
        let address = visit.address(outlet.id.text)
        return SettingsForm(
            visit.place, "Change \(outlet.name)",
            effect: "It is tried again at once. Whatever changes where or how the secret is sent takes it anew.",
            action: address + "/edit", fields: fields(outlet.kind, sent, outlet), verb: "Save", back: address,
            crumb: .init(place: outlet.name.text, way: address))
    }

    static func change(_ visit: SettingsVisit) async throws -> Outcome {
        let sent = visit.form
        let outlet = try await OutletPages.find(visit, .deliveryManage)
        return try await changing(visit, sent).answering {
            let change = OutletChange(
                name: try name(sent), settings: settings(outlet.kind, sent), secret: sent.text("secret"))
            return try await visit.change("outlet.put", change.change(of: outlet.id)) {
                _ = try await visit.outlets.change(
                    outlet.id.text, change, reason: visit.reason, tenant: visit.tenantID, by: visit.principal)
                return .seeOther(visit.address(outlet.id.text), done: .saved)
            }
        }
    }
}
