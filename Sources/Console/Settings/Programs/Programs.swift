import Access
import Base
import Northbound
import OAuth
import Trust

/// The pages about OAuth clients.
extension PageTable {
    static func programs(_ console: ConsoleParts) -> [Page] {
        [
            console.settings("", .programs) { try await .show(ProgramPages.list($0)) },
            console.settings("/new", .programs, needs: .principalManage) {
                try await .show(ProgramPages.making($0, $0.query))
            },
            console.settings(posting: "/new", .programs, needs: .principalManage) { try await ProgramPages.make($0) },
            console.settings("/{client}", .programs) { try await .show(ProgramPages.record($0)) },
            console.settings("/{client}/secret", .programs, needs: .principalManage) {
                try await .show(ProgramPages.question($0, isEnd: false))
            },
            console.settings(posting: "/{client}/secret", .programs, needs: .principalManage) {
                try await ProgramPages.replaceSecret($0)
            },
            console.settings("/{client}/end", .programs, needs: .principalManage) {
                try await .show(ProgramPages.question($0, isEnd: true))
            },
            console.settings(posting: "/{client}/end", .programs, needs: .principalManage) {
                try await ProgramPages.end($0)
            },
        ]
    }
}

enum ProgramPages {
    static func list(_ visit: SettingsVisit) async throws -> SettingsList {
        let size = ConsoleLimits.pageSize
        let clients = try await visit.console.oauth.clients(
            tenant: visit.tenantID, after: visit.query.text("cursor").flatMap { ClientID(text: $0) }, limit: size,
            by: visit.principal)
        return SettingsList(
            visit.place, "Programs",
            "Programs that get access tokens by OAuth: for themselves, or for people who let them in.",
            heads: ["Name", "Gets tokens", "Proves itself by", "Scopes", "Made"],
            rows: clients.map { client in
                .init(
                    name: .text(client.name, link: visit.address(client.id)),
                    cells: [
                        .tags(client.flows.map(\.words).sorted()), .text(client.method.words),
                        .text(
                            client.permissions.map { $0.count == 1 ? "1 permission" : "\($0.count) permissions" }
                                ?? "no limit"), .time(client.created),
                    ])
            }, nothing: "No program is registered.",
            acts: visit.can(.principalManage) ? [.link("Register a program", visit.address("new"), "primary")] : [],
            next: clients.count == size ? clients.last.map { "\(visit.address())?cursor=\($0.id)" } : nil)
    }

    private static func find(_ visit: SettingsVisit) async throws -> (client: Client, id: ClientID) {
        guard let id = ClientID(text: visit.path("client")) else { throw Gatekeeper.notHere }
        return (try await visit.console.oauth.client(id, tenant: visit.tenantID, by: visit.principal), id)
    }

    static func record(_ visit: SettingsVisit) async throws -> SettingsRecord {
        let (client, id) = try await find(visit)
        let address = visit.address(id.text)
        var acts: [SettingsAct] = []
        if visit.can(.principalManage) {
            if client.method == .secret { acts.append(.link("New secret", address + "/secret")) }
            acts.append(.link("End", address + "/end", "danger"))
        }
        return SettingsRecord(
            visit.place, client.name, acts: acts,
            panels: [
                .init(
                    "program", "Program",
                    facts: [
                        .init("Client identifier", .code(client.id)),
                        .init("Gets tokens", .tags(client.flows.map(\.words).sorted())),
                        .init("Proves itself by", .text(client.method.words)),
                        .init("Answers go to", .tags(client.redirects.map(\.text), else: "nowhere")),
                        .init(
                            "Scopes",
                            .tags(client.permissions.map { $0.map(\.rawValue).sorted() } ?? [], else: "no limit")),
                        .init("Certificate", .text(client.certificate?.text ?? "none")),
                        .init("Made", .time(client.created)),
                    ])
            ])
    }

    // MARK: - Registering

    static func making(_ visit: SettingsVisit, _ form: FormFields) async throws -> SettingsForm {
        let flows = form.texts("flows")
        let roles = try await visit.roles().map { ($0.name.text, $0.name.text) }
        let places = try await visit.domains().choices
        return SettingsForm(
            visit.place, "Register a program", action: visit.address("new"),
            fields: [
                .text(
                    "name", "Name", form.text("name"), hint: "People see it when they are asked to let it in.",
                    isRequired: true, longest: AccessLimits.displayNameBytes),
                .boxes(
                    "flows", "It gets tokens",
                    [
                        .init(
                            legend: "",
                            boxes: Client.Flow.allCases.map {
                                .init(
                                    value: $0.rawValue, label: $0.words, meaning: nil,
                                    isOn: flows.contains($0.rawValue))
                            })
                    ]),
                .radio(
                    "method", "It proves which one it is by",
                    [Client.Method.secret, .key, .certificate, .none].map { ($0.rawValue, $0.words) },
                    chosen: form.text("method") ?? Client.Method.secret.rawValue),
                .choice(
                    "role", "Its own role", [("", "None: it acts for people only")] + roles,
                    chosen: form.text("role") ?? "", hint: "For a program that gets tokens for itself."),
            ]
                + (places.count > 1
                    ? [
                        .choice(
                            "domain", "Where", places.map { ($0.path, $0.label) },
                            chosen: form.text("domain") ?? places.first?.path)
                    ] : []) + [
                    .area(
                        "redirects", "Answers go to", form.text("redirects"),
                        hint: "One address on each line, for a program that comes through people's browsers."),
                    .area(
                        "keys", "Public keys", form.text("keys"),
                        hint: "A JSON Web Key Set, for a program that proves itself by a key."),
                    .text(
                        "certificate", "Certificate", form.text("certificate"),
                        hint: "Its SHA-256 in hexadecimal digits, for a program that proves itself by a certificate.",
                        longest: 100),
                    .boxes(
                        "scopes", "Only for", Permission.boxes(form.permissions("scopes")),
                        hint: "What its tokens may be used for at most. Nothing ticked is no limit."),
                    .reason(form),
                ], verb: "Register", back: visit.address())
    }

    private static func draft(_ form: FormFields) throws -> ClientDraft {
        var draft = ClientDraft(
            name: form.text("name") ?? "", method: Client.Method(rawValue: form.exact("method")) ?? .none,
            flows: Set(form.texts("flows").compactMap(Client.Flow.init(rawValue:))))
        draft.redirects = form.exact("redirects").split(whereSeparator: \.isWhitespace).map(String.init)
        let scopes = form.permissions("scopes")
        draft.permissions = scopes.isEmpty ? nil : scopes
        draft.role = form.text("role")
        draft.domain = draft.role == nil ? nil : form.text("domain")
        draft.reason = form.text("reason")
        if let text = form.text("keys") {
            guard let keys = try? JSONValue(parsing: Array(text.utf8)) else {
                throw Refusal(
                    .invalid, "client.keys", "The keys can not be read.",
                    faults: [.init(place: "keys", message: "must be JSON: a JSON Web Key Set")])
            }
            draft.keys = keys
        }
        if let text = form.text("certificate") {
            guard let print = Fingerprint(text: text.lowercased().replacing(":", with: "")) else {
                throw Refusal(
                    .invalid, "client.certificate", "The certificate's fingerprint can not be read.",
                    faults: [.init(place: "certificate", message: "must be a SHA-256 in 64 hexadecimal digits")])
            }
            draft.certificate = print
        }
        return draft
    }

    static func make(_ visit: SettingsVisit) async throws -> Outcome {
        try await making(visit, visit.form).answering {
            let made = try await visit.console.oauth.createClient(
                draft(visit.form), tenant: visit.tenantID, by: visit.principal)
            let address = visit.address(made.client.id)
            guard let secret = made.secret else { return .seeOther(address, done: .created) }
            return .show(secretPage(visit, made.client, secret, back: address))
        }
    }

    private static func secretPage(
        _ visit: SettingsVisit, _ client: Client, _ secret: String, back: String
    ) -> SecretPage {
        SecretPage(
            visit.place, "The secret of \(client.name)",
            "Copy it now: it is not shown again, and nobody can look it up.", secret: secret, label: "Client secret",
            told: ["Its client_id is \(client.id)."], back: back)
    }

    // MARK: - Ending

    static func question(_ visit: SettingsVisit, isEnd: Bool) async throws -> SettingsForm {
        let (client, id) = try await find(visit)
        let address = visit.address(id.text)
        return SettingsForm(
            visit.place, isEnd ? "End \(client.name)?" : "A new secret for \(client.name)?",
            effect: isEnd
                ? "The program and all tokens that it has end at once. There is no way back."
                : "The old secret is refused at once. The tokens that the program has go on.",
            action: address + (isEnd ? "/end" : "/secret"), fields: [], verb: isEnd ? "End the program" : "New secret",
            isDangerous: isEnd, back: address, crumb: .init(place: client.name, way: address))
    }

    static func replaceSecret(_ visit: SettingsVisit) async throws -> Outcome {
        let (client, id) = try await find(visit)
        let secret = try await visit.console.oauth.replaceSecret(id, tenant: visit.tenantID, by: visit.principal)
        return .show(secretPage(visit, client, secret, back: visit.address(id.text)))
    }

    static func end(_ visit: SettingsVisit) async throws -> Outcome {
        let (_, id) = try await find(visit)
        try await visit.console.oauth.endClient(id, tenant: visit.tenantID, by: visit.principal)
        return .seeOther(visit.address(), done: .ended)
    }
}

extension Client.Flow {
    /// What it is, in a few words.
    var words: String {
        switch self {
        case .itself: "for itself"
        case .code: "through a person's browser"
        case .device: "by a code that a person types"
        }
    }
}

extension Client.Method {
    /// What it is, in a few words.
    var words: String {
        switch self {
        case .none: "nothing, because it keeps no secret"
        case .secret: "a secret"
        case .key: "a key of its own"
        case .certificate: "a certificate"
        }
    }
}
