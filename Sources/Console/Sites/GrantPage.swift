import Access
import Audit
import Base
import Bus
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import SignIn
import Storage
import Telemetry
import Trust

/// A role for somebody at a place: the form, what it would do, and the question before it is saved.
struct GrantPage: PageView {
    static let template = "sites-grant"
    static let menu: MenuItem? = .sites

    /// The question before.
    struct Asks: Sendable {
        let words: String
        let preview: ReachPreview
        let fields: [DevicesPage.Hidden]
        let verb: String
        /// Set when a second person must approve it.
        let second: String?
    }

    let title: String
    let address: String
    let back: String
    let placeLabel: String
    let hidden: [DevicesPage.Hidden]
    let holder: String
    let group: String
    let people: [String]
    let groups: [DevicesPage.Choice]
    let hasGroups: Bool
    let roles: [DevicesPage.Choice]
    let until: String
    let reason: String
    let fault: String?
    let asks: Asks?
}

/// What the form of a grant holds.
struct GrantForm: Sendable {
    var draft: GrantDraft
    var until: String
    var reason: String?

    init(_ fields: FormFields) {
        draft = GrantDraft(role: fields.text("role") ?? "")
        draft.principal = fields.text("holder")
        draft.group = fields.text("group")
        draft.domain = fields.text("domain")
        draft.device = fields.text("device")
        draft.replaces = fields.text("replaces").flatMap { GrantID(text: $0) }
        until = fields.text("until") ?? ""
        reason = fields.text("reason")
    }

    /// The draft with its end; the field says a time on the organisation's clocks.
    func checked() throws -> GrantDraft {
        guard !draft.role.isEmpty else {
            throw Refusal(.invalid, "grant.role", "Choose the role.")
        }
        guard (draft.principal == nil) != (draft.group == nil) else {
            throw Refusal(.invalid, "grant.holder", "Name a person or program, or choose a user group; not both.")
        }
        var draft = draft
        guard !until.isEmpty else { return draft }
        guard let end = TypedTime.moment(until) else {
            throw Refusal(
                .invalid, "grant.until", "The end is a date and time such as 2027-01-31T18:00, in \(TypedTime.zone).",
                faults: [.init(place: "until", message: "can not be read")])
        }
        draft.expires = end
        return draft
    }

    /// All fields, to carry them along.
    var fields: [DevicesPage.Hidden] {
        let all: [(String, String?)] = [
            ("role", draft.role), ("holder", draft.principal), ("group", draft.group), ("domain", draft.domain),
            ("device", draft.device), ("replaces", draft.replaces?.text), ("until", until), ("reason", reason),
        ]
        return all.compactMap { name, value in value.map { .init(name: name, value: $0) } }
    }

    /// What is proposed to a second approver.
    func change(_ draft: GrantDraft) -> JSONValue {
        var members: [String: JSONValue] = ["role": .string(draft.role)]
        members["principal"] = draft.principal.map { .string($0) }
        members["group"] = draft.group.map { .string($0) }
        members["domain"] = draft.domain.map { .string($0) }
        members["device"] = draft.device.map { .string($0) }
        members["replaces"] = draft.replaces.map { .string($0.text) }
        members["expires"] = draft.expires.map { .string($0.rfc3339) }
        return .object(members)
    }
}

extension GrantPage {
    init(
        _ console: ConsoleParts, _ visit: TenantVisit, _ form: GrantForm, fault: String? = nil, asks: Asks? = nil
    ) async throws {
        let (tenant, principal, home) = (visit.tenant.id, visit.principal, visit.home)
        let tree = try await console.tree(visit)
        address = "\(home)/sites/grant"
        if let device = form.draft.device {
            let found = try await console.fleet.show(device, in: tenant, by: principal).device
            placeLabel = "the device \(found.name)"
            back = "\(home)/devices/\(found.name)"
        } else {
            guard let domain = tree.domain(form.draft.domain) else {
                throw Refusal(.notFound, "domain.unknown", "There is no such domain, or it is not for you.")
            }
            placeLabel = "\(tree.label(domain.id) ?? domain.name) and everything below"
            back = "\(home)/sites?at=\(domain.id.text)"
        }
        title = form.draft.replaces == nil ? "Give access" : "Change access"
        hidden = form.fields.filter { ["domain", "device", "replaces"].contains($0.name) }
        holder = form.draft.principal ?? ""
        group = form.draft.group ?? ""
        until = form.until
        reason = form.reason ?? ""
        self.fault = fault
        self.asks = asks
        // Who manages a part of the tenant only sees no list of all its people, and names them.
        let held = try await console.permissions(visit, at: visit.tenant.rootDomain)
        guard held.contains(.principalRead) else {
            (people, groups, hasGroups) = ([], [], false)
            roles = Role.builtIn.filter { $0 != .platformAdmin }.map {
                .init(value: $0.name.text, label: $0.name.text, isOn: $0.name.text == form.draft.role)
            }
            return
        }
        people = try await console.access.principals(
            tenant: tenant, limit: ConsoleLimits.offeredNames, by: principal
        ).filter(\.isActive).map(\.name)
        let chosen = form.draft.group
        groups = try await console.access.groups(tenant: tenant, by: principal).map {
            .init(value: $0.name, label: $0.name, isOn: $0.name == chosen || $0.id.text == chosen)
        }
        hasGroups = !groups.isEmpty
        roles = try await console.access.roles(tenant: tenant, by: principal).map {
            .init(
                value: $0.name.text, label: $0.name.text,
                isOn: $0.name.text == form.draft.role || $0.id.text == form.draft.role)
        }
    }

    /// The empty form, or that of a grant that shall be changed.
    static func form(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> GrantPage {
        var form = GrantForm(visit.query)
        if let id = form.draft.replaces {
            let grant = try await console.access.grant(id, tenant: visit.tenant.id, by: visit.principal)
            (form.draft.domain, form.draft.device) = (grant.domain?.text, grant.device?.text)
            form.draft.role = ConsoleParts.roleLabel(grant.role)
            switch grant.holder {
            case .principal(let person):
                let names = try await console.access.names(
                    of: [person], tenant: visit.tenant.id, by: visit.principal)
                form.draft.principal = names[person] ?? person.text
            case .group(let group): form.draft.group = group.text
            }
            form.until = grant.expires.map(TypedTime.text) ?? ""
        }
        return try await GrantPage(console, visit, form)
    }

    /// Takes the form: asks with the effect, then saves, or proposes where a second approver is wanted.
    static func run(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let form = GrantForm(visit.form)
        do {
            let draft = try form.checked()
            guard visit.form.has("sure") else { return .show(try await ask(console, visit, form, draft)) }
            return try await save(console, visit, form, draft)
        } catch let refusal as Refusal where refusal.isOfForm {
            return .again(try await GrantPage(console, visit, form, fault: refusal.message))
        }
    }

    private static func ask(
        _ console: ConsoleParts, _ visit: TenantVisit, _ form: GrantForm, _ draft: GrantDraft
    ) async throws -> GrantPage {
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        let change = try await console.access.previewGrant(draft, tenant: tenant, by: principal)
        let held = try await console.permissions(visit, at: visit.tenant.rootDomain)
        let roles =
            held.contains(.principalRead) ? try await console.access.roles(tenant: tenant, by: principal) : Role.builtIn
        let role = roles.first { $0.name.text == draft.role || $0.id.text == draft.role }
        let isAdministrative = role?.isAdministrative ?? false
        if isAdministrative, form.reason == nil {
            throw Refusal(
                .invalid, "reason.required",
                "This role decides what others may do: say why, for the audit log.")
        }
        let needsSecond =
            isAdministrative && held.contains(.principalRead)
            ? try await console.access.needsSecondApprover(tenant: tenant, by: principal) : false
        let who = draft.principal ?? "the group \(draft.group ?? "")"
        let end = draft.expires.map { " until \(Moment($0).text)" } ?? ", without an end"
        return try await GrantPage(
            console, visit, form,
            asks: .init(
                words: "\(role?.name.text ?? draft.role) for \(who)\(end).",
                preview: ReachPreview(change, console), fields: form.fields,
                verb: needsSecond ? "Propose" : draft.replaces == nil ? "Give access" : "Change access",
                second: needsSecond ? "A second administrator must approve it before it counts." : nil))
    }

    private static func save(
        _ console: ConsoleParts, _ visit: TenantVisit, _ form: GrantForm, _ draft: GrantDraft
    ) async throws -> Outcome {
        let (tenant, principal, home) = (visit.tenant.id, visit.principal, visit.home)
        do {
            let grant = try await console.access.grant(draft, reason: form.reason, tenant: tenant, by: principal)
            let change = try await console.access.change(
                of: grant.id, isEnd: false, tenant: tenant, by: principal)
            let at = grant.domain.map { "at=\($0.text)&" } ?? ""
            return .seeOther("\(home)/sites?\(at)\(change.map { "undo-grant=\($0.text)" } ?? "")")
        } catch let refusal as Refusal where refusal.code == "approval.needed" {
            _ = try await console.access.propose(
                "grant.put", form.change(draft), reason: form.reason, tenant: tenant, by: principal)
            return .seeOther("\(home)/sites/changes", done: .proposed)
        }
    }
}

extension Refusal {
    /// Whether it is about what somebody wrote into a form, so that the form is shown again.
    var isOfForm: Bool {
        // What asks for a proof of who one is has a page of its own.
        if code == PageTable.stepUp { return false }
        return switch kind {
        case .invalid, .conflict, .limited, .forbidden: true
        case .notFound: code == "principal.unknown" || code == "group.unknown" || code == "tenant.unknown"
        default: false
        }
    }
}

/// The end of a grant: what it does, then done.
struct GrantEndPage: PageView {
    static let template = "sites-end"
    static let menu: MenuItem? = .sites
    let title: String
    let address: String
    let back: String
    let words: String
    let preview: ReachPreview
    let reason: String
    let fault: String?
}

extension GrantEndPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit, fault: String? = nil) async throws {
        guard let id = GrantID(text: visit.path("grant")) else { throw Access.unknown("grant") }
        let (tenant, principal, home) = (visit.tenant.id, visit.principal, visit.home)
        let grant = try await console.access.grant(id, tenant: tenant, by: principal)
        let tree = try await console.tree(visit)
        let names = GrantNames(try await console.names([grant], visit), tree)
        title = "End this access?"
        address = "\(home)/sites/grants/\(id.text)/end"
        back = grant.domain.map { "\(home)/sites?at=\($0.text)" } ?? "\(home)/sites"
        words = names.words(grant)
        preview = ReachPreview(try await console.access.previewEnd(of: id, tenant: tenant, by: principal), console)
        reason = visit.form.text("reason") ?? ""
        self.fault = fault
    }

    static func run(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        guard let id = GrantID(text: visit.path("grant")) else { throw Access.unknown("grant") }
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        let grant = try await console.access.grant(id, tenant: tenant, by: principal)
        do {
            try await console.access.endGrant(
                id, reason: visit.form.text("reason"), tenant: tenant, by: principal)
        } catch let refusal as Refusal where refusal.kind == .invalid {
            return .again(try await GrantEndPage(console, visit, fault: refusal.message))
        }
        let change = try await console.access.change(
            of: id, isEnd: true, tenant: tenant, by: principal)
        let at = grant.domain.map { "at=\($0.text)&" } ?? ""
        return .seeOther("\(visit.home)/sites?\(at)\(change.map { "undo-grant=\($0.text)" } ?? "")")
    }

    /// Undoes the making, change or end of a grant.
    static func undo(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        guard let id = GrantChangeID(text: visit.path("change")) else { throw Access.unknown("change") }
        try await console.access.undoGrantChange(
            id, reason: "undone by hand", tenant: visit.tenant.id, by: visit.principal)
        return .seeOther("\(visit.home)/sites/changes", done: .undone)
    }
}
