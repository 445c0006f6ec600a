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

/// The list of what was done: filtered, a page at a time, with its export and its verification.
struct AuditListPage: PageView {
    static let template = "audit"
    static let menu: MenuItem? = .audit

    /// The codes of one part.
    struct Part: Sendable {
        let label: String
        let all: DevicesPage.Choice
        let codes: [DevicesPage.Choice]
    }

    let title = "Audit"
    let summary: String
    let address: String
    let chips: [DevicesPage.Chip]
    let conditions: [DevicesPage.Condition]
    let hasConditions: Bool
    let parts: [Part]
    let people: [String]
    let who: String
    let device: String
    let from: String
    let to: String
    let carried: [DevicesPage.Hidden]
    let fault: String?
    let rows: [AuditRow]
    let hasRows: Bool
    let isNothingFound: Bool
    /// How far back was looked, when what matches is rare.
    let searchedTo: Moment?
    let next: String?
    let first: String?
    let sessionsAddress: String
    let verifyAddress: String
    let canExport: Bool
    let csvAddress: String
    let bundleAddress: String
}

extension AuditListPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        try await console.authorizeAudit(visit)
        let selection = AuditSelection(visit.query)
        let words = console.auditWords
        let list = "\(visit.home)/audit"
        let (held, _) = try await console.reach(of: visit.principal, in: visit.tenant)
        address = list
        sessionsAddress = list + "/sessions"
        verifyAddress = list + "/verification"
        csvAddress = list + "/entries.csv" + selection.with { _ in }.query
        bundleAddress = list + "/bundle"
        canExport = held.contains(.auditExport)
        var found: AuditPage?
        var fault: String?
        do {
            found = try await console.audit.page(
                tenant: visit.tenant.id, filter: try await selection.filter(console, visit), after: selection.cursor,
                limit: ConsoleLimits.pageSize, reader: visit.principal.actor(in: visit.tenant.id))
        } catch let refusal as Refusal where refusal.kind == .invalid {
            // A condition that is wrong is said beside the list, not instead of it.
            fault = refusal.message
        }
        self.fault = fault
        let names = try await AuditNames(found?.entries ?? [], console, visit)
        rows = (found?.entries ?? []).map { AuditRow($0, words, names, list: list) }
        hasRows = !rows.isEmpty
        searchedTo = Moment(found?.searchedTo)
        isNothingFound = rows.isEmpty && fault == nil && searchedTo == nil
        next = found?.next.map { cursor in list + selection.with { $0.cursor = cursor }.query }
        first = selection.cursor == nil ? nil : list + selection.with { _ in }.query
        summary = "Who did what, when and from where. Nobody can change it without being found out."
        let outcomes: [(String, AuditEntry.Outcome?)] = [
            ("All", nil), ("Done", .success), ("Denied", .denied), ("Failed", .failed),
        ]
        chips = outcomes.map { label, outcome in
            .init(
                label: label, address: list + selection.with { $0.outcome = outcome }.query,
                isOn: selection.outcome == outcome)
        }
        conditions = Self.conditions(selection, words, list)
        hasConditions = !conditions.isEmpty
        parts = words.groups.map { group in
            Part(
                label: group.name,
                all: .init(
                    value: group.name + ".", label: "All of \(group.name)", isOn: selection.type == group.name + "."),
                codes: group.codes.map {
                    .init(value: $0.text, label: words.meaning($0.text), isOn: selection.type == $0.text)
                })
        }
        people =
            held.contains(.principalRead)
            ? try await console.access.principals(
                tenant: visit.tenant.id, limit: ConsoleLimits.offeredNames, by: visit.principal
            ).map(\.name) : []
        who = selection.who ?? ""
        device = selection.device ?? ""
        from = selection.from ?? ""
        to = selection.to ?? ""
        carried = selection.with { _ in }.fields.filter { ["outcome", "session", "subject"].contains($0.name) }
            .map { .init(name: $0.name, value: $0.value) }
    }

    private static func conditions(
        _ selection: AuditSelection, _ words: AuditWords, _ list: String
    ) -> [DevicesPage.Condition] {
        let all: [(String?, WritableKeyPath<AuditSelection, String?>)] = [
            (selection.type.map { $0.hasSuffix(".") ? "All of \($0.dropLast())" : words.meaning($0) }, \.type),
            (selection.who.map { "By \($0)" }, \.who), (selection.session.map { "In the session \($0)" }, \.session),
            (selection.device.map { "Device \($0)" }, \.device), (selection.subject.map { "About \($0)" }, \.subject),
            (selection.from.map { "From \($0)" }, \.from), (selection.to.map { "To \($0)" }, \.to),
        ]
        return all.compactMap { label, part in
            label.map { .init(label: $0, address: list + selection.with { $0[keyPath: part] = nil }.query) }
        }
    }
}
