import Access
import Base
import Fleet
import Northbound
import Operations

/// The form with which a task is ordered for many devices: what, for which, when; then what it would do.
struct OrderPage: PageView {
    static let template = "order"
    static let menu: MenuItem? = .tasks

    let title = "Give devices a task"
    let action: String
    let types: [DevicesPage.Choice]
    /// The release that is to be installed, when the order is an install.
    let release: String?
    let name: String
    let filter: String
    let starts: String
    let zone: String
    let fault: String?
    let filterFault: FilterFault?
    /// What would be done, once it is asked for.
    let asks: Asks?
    let list: String

    /// The question before.
    struct Asks: Sendable {
        let effect: String?
        let verb: String
        /// What the question was about: another order is asked about anew.
        let seen: String
        /// What is still to be typed: what the tasks bring.
        let fields: [OrderInput.Field]
    }
}

extension OrderPage {
    /// The form, empty or as it came; `asks` is set when everything in it is good.
    init(
        _ console: ConsoleParts, _ visit: TenantVisit, _ form: FormFields, fault: String? = nil,
        filterFault: FilterFault? = nil, asks: Asks? = nil
    ) async throws {
        let (held, _) = try await console.reach(of: visit.principal, in: visit.tenant)
        action = "\(visit.home)/tasks/new"
        let chosen = form.text("type").flatMap { TaskType(rawValue: $0) }
        let install = try await Self.release(console, visit, form)
        if let install {
            types = [
                .init(
                    value: TaskType.install.rawValue, label: "Install \(install.component) \(install.version)",
                    isOn: true)
            ]
        } else {
            types = Self.offered.filter { held.contains($0.permission) }.map {
                .init(value: $0.rawValue, label: $0.label, isOn: $0 == chosen)
            }
        }
        release = install?.id.text
        name = form.text("title") ?? ""
        filter = form.text("filter") ?? ""
        starts = form.text("starts") ?? ""
        zone = TypedTime.zone
        self.fault = fault
        self.filterFault = filterFault
        self.asks = asks
        list = "\(visit.home)/tasks"
    }

    /// The release that the form is about, when it is an install.
    private static func release(
        _ console: ConsoleParts, _ visit: TenantVisit, _ form: FormFields
    ) async throws -> Release? {
        guard let id = form.text("release").flatMap({ ReleaseID(text: $0) }) else { return nil }
        return try await console.operations.release(id, in: visit.tenant.id, by: visit.principal)
    }

    /// What can be ordered here; an install is ordered from its release.
    private static let offered = TaskType.allCases.filter { $0 != .install }

    /// Takes the form: asks first, then orders.
    static func take(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let form = visit.form
        let again = { (fault: String?, filterFault: FilterFault?, asks: Asks?) async throws -> Outcome in
            .again(try await OrderPage(console, visit, form, fault: fault, filterFault: filterFault, asks: asks))
        }
        let release = try await release(console, visit, form)
        let types = release == nil ? offered : [.install]
        guard let type = form.text("type").flatMap({ TaskType(rawValue: $0) }), types.contains(type) else {
            return try await again("Choose what the devices shall do.", nil, nil)
        }
        // What was typed at the second step stays when something before it is wrong.
        let typed = form.text("seen").map { _ in
            Asks(effect: nil, verb: "See what it would do", seen: "", fields: OrderInput.fields(of: type, form))
        }
        let filter = form.text("filter")
        if let wrong = filter.flatMap({ FilterFault(in: $0) }) { return try await again(nil, wrong, typed) }
        var terms = OperationTerms()
        if let text = form.text("starts") {
            guard let starts = TypedTime.moment(text) else {
                return try await again(
                    "The start is a date and time such as 2027-01-31T18:00, in \(TypedTime.zone).", nil, typed)
            }
            terms.starts = starts
        }
        let what = release.map { "Install \($0.component) \($0.version)" } ?? type.label
        var asks: Asks?
        do {
            let seen = ["type", "release", "filter", "starts"].map { form.text($0) ?? "" }.joined(separator: "\n")
                .percentEncoded
            let count = try await console.fleet.count(filter: filter, in: visit.tenant.id, by: visit.principal)
            guard count > 0 else { return try await again("No device matches this filter.", nil, typed) }
            let devices = count == 1 ? "1 device" : "\(count.grouped) devices"
            asks = Asks(
                effect: "\(what), for \(devices) that match now, as far as you may"
                    + (release == nil ? "" : ", but for those with a later release or other hardware")
                    + ". Each gets it when it calls.",
                verb: "Give it to \(devices)", seen: seen, fields: OrderInput.fields(of: type, form))
            guard form.text("seen") == seen else { return .show(try await OrderPage(console, visit, form, asks: asks)) }
            let operation = try await console.operations.order(
                OperationOrder(
                    type, .filter(filter), title: form.text("title") ?? what, release: release?.id,
                    input: try OrderInput.input(of: type, form), terms: terms),
                in: visit.tenant.id, by: visit.principal)
            return .seeOther("\(visit.home)/tasks/\(operation.id.text)", done: .created)
        } catch let refusal as Refusal where [.invalid, .limited, .conflict].contains(refusal.kind) {
            let places = refusal.faults.map { "\($0.place) \($0.message)" }
            return try await again(([refusal.message] + places).joined(separator: "; "), nil, asks)
        }
    }
}
