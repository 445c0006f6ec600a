import Access
import Base
import Fleet
import Northbound

/// What somebody sent from the form of an edit.
struct EditForm: Sendable {
    /// How the devices are named.
    enum Way: String, CaseIterable, Sendable {
        case filter
        case domain
        case list

        /// What the form calls it.
        var label: String {
            switch self {
            case .filter: "that match a filter"
            case .domain: "in a domain and below"
            case .list: "of a list"
            }
        }
    }

    let way: Way
    let filter: String
    let domain: String
    let list: String
    let change: String

    /// What these fields say; the address of the page may name a domain.
    init(_ fields: FormFields) {
        filter = fields.text("filter") ?? ""
        domain = fields.text("domain") ?? ""
        list = fields.exact("list")
        change = fields.exact("change")
        way = fields.text("way").flatMap(Way.init(rawValue:)) ?? (domain.isEmpty ? .filter : .domain)
    }

    /// The edit that the form means.
    func order() throws -> DesiredEditOrder {
        let target: DesiredEditOrder.Target
        switch way {
        case .filter: target = .filter(filter.isEmpty ? nil : filter)
        case .domain: target = .domain(domain.isEmpty ? "/" : domain)
        case .list:
            var reader = EditListReader()
            try reader.consume(Array(list.utf8))
            target = .devices(try reader.finish())
        }
        return DesiredEditOrder(target, change: try patch())
    }

    private func patch() throws(Refusal) -> JSONValue {
        // A list may say everything by itself.
        if way == .list, change.allSatisfy(\.isWhitespace) { return [:] }
        do {
            let limits = JSONLimits(bytes: FleetLimits.documentBytes * 2, depth: FleetLimits.documentDepth + 4)
            return try JSONValue(parsing: Array(change.utf8), limits: limits)
        } catch {
            throw Refusal(
                .invalid, "desired.invalid", "This is not JSON: \(error.message), at byte \(error.offset).")
        }
    }

    /// What a question was about: another edit is asked about anew.
    var mark: String {
        ConfigurationForm.mark(
            .array([way.rawValue, filter, domain, list, change].map { .string($0) }), 0)
    }
}

/// Takes the form of an edit: shows what it would do, then orders it.
enum EditAct {
    static func run(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let form = EditForm(visit.form)
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        do {
            let order = try form.order()
            guard visit.form.text("act") == "save", visit.form.text("seen") == form.mark else {
                let preview = try await console.fleet.preview(order, in: tenant, by: principal)
                let asks = ConfigurationPage.Asks(preview, visit.home, mark: form.mark, hasSecret: false)
                return .show(try await EditsPage(console, visit, form, asks: asks))
            }
            _ = try await console.fleet.edit(order, in: tenant, by: principal)
            return .seeOther("\(visit.home)/configuration/edits", done: .saved)
        } catch let refusal as Refusal
            where [.invalid, .conflict, .tooLarge, .limited, .forbidden, .notFound].contains(refusal.kind)
        {
            return .again(try await EditsPage(console, visit, form, refusal: refusal))
        }
    }
}
