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

/// Who holds what role where, until when, with what they sign in and when they last did: by person, or at one domain.
struct AccessReport: PageView {
    static let template = "report-access"
    static let menu: MenuItem? = .reports

    struct Person: Sendable {
        let name: String
        /// The page of their account; nil for programs.
        let account: String?
        let mail: String
        let badge: Badge
        let lastSignIn: Moment?
        let factors: String
        let roles: [Role]
        let hasRoles: Bool
    }

    struct Role: Sendable {
        let who: String
        let role: String
        let place: String
        let until: Moment?
    }

    /// What people of other organisations hold by shares, or everybody's roles at one domain.
    struct Section: Sendable {
        let heading: String
        let roles: [Role]
        let hasRoles: Bool
        /// How many roles more there are than the page shows.
        let more: String?
    }

    let title = "Access review"
    let tabs: [DevicesPage.Chip]
    let csv: String
    let mails: String
    let address: String
    let domains: [DevicesPage.Choice]
    let hasDomains: Bool
    /// The domain that is chosen, where there are too many for a choice: then its path is written.
    let domainPath: DevicesPage.DomainPath?
    let fault: String?
    let people: [Person]
    let hasPeople: Bool
    let sections: [Section]
    let next: String?
    let first: String?
}

extension AccessReport {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        let address = "\(visit.home)/reports/access"
        let (domain, after) = (visit.query.text("domain"), visit.query.text("cursor"))
        self.address = address
        csv = address + ".csv" + (domain.map { "?domain=\($0.percentEncoded)" } ?? "")
        mails = "\(visit.home)/reports/mails"
        tabs = try await ReportTabs.of(.access, console, visit)
        let limit = ConsoleLimits.pageSize
        var found: [ReviewedPerson] = []
        var sections: [Section] = []
        var fault: String?
        // The rights are decided by what is asked first, whatever else the page says.
        if domain == nil {
            found = try await console.signIn.accessReview(
                tenant: tenant, after: after ?? "", limit: limit + 1, by: principal)
        }
        let foreign = after == nil ? try await console.signIn.foreignReview(tenant: tenant, by: principal) : []
        let places = try await Places(console, ReportReader(tenant: visit.tenant, principal: principal))
        if let domain {
            do {
                let held = try await console.signIn.accessReview(domain: domain, tenant: tenant, by: principal)
                let label = places.domains.choices.first { $0.path == domain }?.label ?? domain
                sections = [Section("At \(label), there or from above", held, places)]
            } catch let refusal as Refusal where refusal.code.hasPrefix("domain.") {
                fault = refusal.message
            }
        } else if !foreign.isEmpty {
            sections = [Section("From other organisations, by shares", foreign, places)]
        }
        (self.sections, self.fault) = (sections, fault)
        people = found.prefix(limit).map { Person($0, places, visit.home) }
        hasPeople = !people.isEmpty
        next = found.count > limit ? "\(address)?cursor=\(found[limit - 1].principal.name.percentEncoded)" : nil
        first = after == nil ? nil : address
        let choices = places.domains.choices
        let isMany = choices.count > ConsoleLimits.offeredNames
        domains = isMany ? [] : choices.map { .init(value: $0.path, label: $0.label, isOn: $0.path == domain) }
        hasDomains = !domains.isEmpty
        domainPath = isMany ? .init(path: domain ?? "") : nil
    }

    /// What places and other organisations are called, for the visitor.
    struct Places: Sendable {
        let domains: DomainNames
        let tenants: TenantDirectory

        init(_ console: ConsoleParts, _ reader: ReportReader) async throws {
            let (held, _) = try await console.reach(of: reader.principal, in: reader.tenant)
            domains =
                held.contains(.domainRead)
                ? DomainNames(try await console.access.domains(tenant: reader.tenant.id, by: reader.principal))
                : DomainNames([])
            tenants = console.access.directory
        }

        func words(_ reach: Reach) -> String {
            let place = reach.domain.map { domains.label($0) ?? "a domain" } ?? "a single device"
            return place + (reach.group.map { ", by the group \($0)" } ?? "")
        }

        func holder(_ reach: Reach) -> String {
            switch reach.holder {
            case .own: reach.name ?? ""
            case .foreign(_, let tenant): "Somebody of " + (tenants.tenant(tenant)?.name ?? "another organisation")
            case .foreignRole(_, let tenant):
                "Holders of a role in " + (tenants.tenant(tenant)?.name ?? "another organisation")
            }
        }
    }

    /// A line for each role of each person, then those of other organisations; or each role at the domain chosen.
    static func write(
        _ console: ConsoleParts, _ reader: ReportReader, _ write: (String) async throws -> Void
    ) async throws {
        let (tenant, principal) = (reader.tenant.id, reader.principal)
        let domain = reader.query.text("domain")
        let atDomain =
            if let domain {
                try await console.signIn.accessReview(domain: domain, tenant: tenant, by: principal)
            } else {
                try await console.signIn.foreignReview(tenant: tenant, by: principal)
            }
        let places = try await Places(console, reader)
        let times = reader.times
        try await write(
            CSVCell.line([
                "name", "mail", "kind", "state", times.column("last sign-in"), "factors", "role", "place",
                times.column("until"),
            ]))
        func line(_ head: [String], _ reach: Reach?) -> String {
            CSVCell.line(
                head + [reach?.roleName ?? "", reach.map { places.words($0) } ?? "", times.text(reach?.until)])
        }
        var after: String? = domain == nil ? "" : nil
        while let from = after {
            let found = try await console.signIn.accessReview(
                tenant: tenant, after: from, limit: ConsoleLimits.writtenRows, by: principal)
            var text = ""
            for person in found {
                let head = [
                    person.principal.name, person.account?.address.text ?? "", person.principal.kind.rawValue,
                    person.stateWord, times.text(person.account?.lastSignIn), person.factorWords,
                ]
                text += person.reach.isEmpty ? line(head, nil) : person.reach.map { line(head, $0) }.joined()
            }
            try await write(text)
            after = found.count == ConsoleLimits.writtenRows ? found.last?.principal.name : nil
        }
        try await write(
            atDomain.map { reach in
                line([places.holder(reach), "", reach.kind?.rawValue ?? "share", "active", "", ""], reach)
            }.joined())
    }
}

extension AccessReport.Person {
    init(_ person: ReviewedPerson, _ places: AccessReport.Places, _ home: String) {
        name = person.account?.name ?? person.principal.name
        account = person.account.map { "\(home)/settings/users/\($0.principal.text)" }
        mail = person.account?.address.text ?? "Program"
        badge =
            switch person.stateWord {
            case "active": .good("Active")
            case "invited": .warning("Invited")
            default: .off("Disabled")
            }
        lastSignIn = Moment(person.account?.lastSignIn)
        factors = person.account == nil ? "" : person.factorWords
        roles = person.reach.map { AccessReport.Role($0, places) }
        hasRoles = !roles.isEmpty
    }
}

extension AccessReport.Section {
    init(_ heading: String, _ found: [Reach], _ places: AccessReport.Places) {
        let roles = found.prefix(ConsoleLimits.shownHolders).map { AccessReport.Role($0, places) }
        let hidden = found.count - roles.count
        self.init(
            heading: heading, roles: roles, hasRoles: !roles.isEmpty,
            more: hidden > 0 ? "\(hidden.grouped) more \(hidden == 1 ? "is" : "are")" : nil)
    }
}

extension AccessReport.Role {
    init(_ reach: Reach, _ places: AccessReport.Places) {
        who = places.holder(reach)
        role = reach.roleName
        place = places.words(reach)
        until = Moment(reach.until)
    }
}

extension ReviewedPerson {
    fileprivate var stateWord: String {
        account?.status.rawValue ?? (principal.isActive ? "active" : "disabled")
    }

    /// What they sign in with.
    fileprivate var factorWords: String {
        let words = (account?.hasPassword == true ? ["password"] : []) + factors.map(\.rawValue).sorted()
        return words.joined(separator: ", ")
    }
}
