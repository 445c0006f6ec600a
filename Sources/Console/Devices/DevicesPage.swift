import Access
import Audit
import Base
import Bus
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import Operations
import SignIn
import Storage
import Telemetry
import Trust

/// The list of a tenant's devices: filtered, sorted, a page at a time, with what can be done to many at once.
struct DevicesPage: PageView {
    static let template = "devices"
    static let menu: MenuItem? = .devices

    /// A link that changes the selection.
    struct Chip: Sendable {
        let label: String
        let address: String
        let isOn: Bool
    }

    /// A condition that can be taken away.
    struct Condition: Sendable {
        let label: String
        let address: String
    }

    /// One of a drop-down's choices.
    struct Choice: Sendable {
        let value: String
        let label: String
        let isOn: Bool
    }

    /// A domain written by its path.
    struct DomainPath: Sendable {
        let path: String
    }

    /// A field that a form carries along.
    struct Hidden: Sendable {
        let name: String
        let value: String
    }

    /// A column's head.
    struct Head: Sendable {
        let label: String
        /// What sorts by it; nil when nothing can.
        let sortAddress: String?
        /// `ascending` or `descending` when the list is sorted by it.
        let order: String?
    }

    /// A column that can be shown.
    struct Column: Sendable {
        let name: String
        let label: String
        let isOn: Bool
    }

    struct Cell: Sendable {
        let text: String?
        let time: Moment?
        let tags: [String]
    }

    struct Row: Sendable {
        let id: String
        let name: String
        let address: String
        let badge: Badge
        /// `live` when the badge follows the device's comings and goings, `fixed` when it does not.
        let state: String
        let cells: [Cell]
    }

    /// A saved view.
    struct View: Sendable {
        let id: String
        let name: String
        let address: String
    }

    let title = "Devices"
    let summary: String
    let address: String
    let chips: [Chip]
    let conditions: [Condition]
    let hasConditions: Bool
    let models: [Choice]
    let domains: [Choice]
    let hasModels: Bool
    let hasDomains: Bool
    /// The domain that is chosen, where there are too many for a choice: then its path is written.
    let domainPath: DomainPath?
    let filter: String
    let fault: FilterFault?
    let hidden: [Hidden]
    /// What the filter's own form has no field for.
    let carried: [Hidden]
    let views: [View]
    let hasViews: Bool
    let query: String
    let heads: [Head]
    let columns: [Column]
    let sizes: [Choice]
    let rows: [Row]
    let hasRows: Bool
    let isEmpty: Bool
    let isNothingFound: Bool
    let next: String?
    let first: String?
    let count: String
    let canManage: Bool
    let canRevoke: Bool
    let connectAddress: String
    let importAddress: String
    let bulkAddress: String
    /// Where a task is ordered for all that match; nil for who may give none.
    let orderAddress: String?
    let viewsAddress: String
    let preferencesAddress: String
    let formToken: String
}

/// A column of the list of devices, beside name and state.
enum DeviceColumn: String, CaseIterable, Sendable {
    case model, domain, labels, seen, address, place, created

    static let usual: [DeviceColumn] = [.model, .domain, .labels, .seen]

    var label: String {
        switch self {
        case .model: "Model"
        case .domain: "Domain"
        case .labels: "Labels"
        case .seen: "Last seen"
        case .address: "Address"
        case .place: "Place"
        case .created: "Registered"
        }
    }

    /// The orders that a click on its head toggles: first click, second click.
    var sorts: (DeviceSort, DeviceSort)? {
        switch self {
        case .seen: (.lastSeenDescending, .lastSeen)
        case .created: (.createdDescending, .created)
        default: nil
        }
    }
}

extension DevicesPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        let selection = DeviceSelection(visit.query)
        let (held, _) = try await console.reach(of: principal, in: visit.tenant)
        let preferences = console.preferences
        let size = try await preferences.value("devices.size", of: visit).flatMap { Int($0) } ?? ConsoleLimits.pageSize
        let wanted = try await preferences.value("devices.columns", of: visit)
        let shown = wanted.map { text in text.split(separator: ",").compactMap { DeviceColumn(rawValue: String($0)) } }
        let columns = shown ?? DeviceColumn.usual
        let list = "\(visit.home)/devices"
        address = list
        canManage = held.contains(.deviceManage)
        canRevoke = held.contains(.deviceRevoke)
        connectAddress = list + "/connect"
        importAddress = list + "/import"
        bulkAddress = list + "/bulk"
        orderAddress =
            TaskType.allCases.contains { held.contains($0.permission) }
            ? "\(visit.home)/tasks/new" + (selection.condition.map { "?filter=\($0.percentEncoded)" } ?? "") : nil
        viewsAddress = list + "/views"
        preferencesAddress = list + "/preferences"
        formToken = visit.visitor.formToken
        let models = held.contains(.modelRead) ? try await console.fleet.models(in: tenant, by: principal) : []
        let places =
            held.contains(.domainRead)
            ? DomainNames(try await console.access.domains(tenant: tenant, by: principal)) : DomainNames([])
        var items: [DevicePage.Item] = []
        var following: String?
        var counted: Count?
        var fault = selection.filter.flatMap { FilterFault(in: $0) }
        do {
            let page = try await console.fleet.list(
                DeviceQuery(
                    filter: selection.condition, sort: selection.sort, cursor: selection.cursor,
                    limit: ConsoleLimits.pageSizes.contains(size) ? size : ConsoleLimits.pageSize,
                    counting: selection.condition == nil ? .all : .upTo(ConsoleLimits.countedRows)),
                in: tenant, by: principal)
            (items, following) = (page.items, page.next)
            counted = page.count
        } catch let refusal as Refusal where refusal.kind == .invalid || refusal.code.hasPrefix("domain.") {
            // A condition that is wrong is said beside the list, not instead of it.
            fault = fault ?? FilterFault(refusal)
        }
        self.fault = fault
        let isWhole = selection.condition == nil
        let total = counted?.number ?? 0
        count = counted?.grouped ?? "0"
        summary =
            fault != nil
            ? "The filter can not be read"
            : "\(count) \(total == 1 ? "device" : "devices")\(isWhole ? "" : " match")"
        isEmpty = isWhole && total == 0 && fault == nil
        isNothingFound = !isWhole && items.isEmpty && fault == nil
        chips =
            [Chip(label: "All", address: list + selection.with { $0.state = nil }.query, isOn: selection.state == nil)]
            + DeviceSelection.State.allCases.map { state in
                Chip(
                    label: state.label, address: list + selection.with { $0.state = state }.query,
                    isOn: selection.state == state)
            }
        conditions = Self.conditions(selection, list)
        hasConditions = !conditions.isEmpty
        self.models = models.map {
            Choice(value: $0.name.text, label: $0.name.text, isOn: selection.model == $0.name.text)
        }
        hasModels = !models.isEmpty
        domains = places.choices.prefix(ConsoleLimits.offeredNames).map {
            Choice(value: $0.path, label: $0.label, isOn: selection.domain == $0.path)
        }
        hasDomains = (2...ConsoleLimits.offeredNames).contains(places.choices.count)
        domainPath =
            places.choices.count > ConsoleLimits.offeredNames ? DomainPath(path: selection.domain ?? "") : nil
        filter = selection.filter ?? ""
        hidden = selection.with { _ in }.fields.map { Hidden(name: $0.name, value: $0.value) }
        carried = hidden.filter { ["state", "find", "sort"].contains($0.name) }
        query = selection.with { _ in }.query
        views = try await preferences.views(of: visit).map {
            View(id: $0.id.text, name: $0.name, address: list + $0.query)
        }
        hasViews = !views.isEmpty
        heads = Self.heads(columns, selection, list)
        self.columns = DeviceColumn.allCases.map {
            Column(name: $0.rawValue, label: $0.label, isOn: columns.contains($0))
        }
        sizes = ConsoleLimits.pageSizes.map { Choice(value: String($0), label: String($0), isOn: $0 == size) }
        rows = items.map { item in
            Row(
                id: item.device.id.text, name: item.device.name.text, address: "\(list)/\(item.device.name)",
                badge: Badge(item.device.status, item.presence),
                state: item.device.status == .active ? "live" : "fixed",
                cells: columns.map { $0.cell(item, places) })
        }
        hasRows = !rows.isEmpty
        next = following.map { cursor in list + selection.with { $0.cursor = cursor }.query }
        first = selection.cursor == nil ? nil : list + selection.with { _ in }.query
    }

    private static func conditions(_ selection: DeviceSelection, _ list: String) -> [Condition] {
        let all: [(String?, WritableKeyPath<DeviceSelection, String?>)] = [
            (selection.model.map { "Model \($0)" }, \.model), (selection.domain.map { "Domain \($0)" }, \.domain),
            (selection.find.map { "Name has “\($0)”" }, \.find), (selection.filter, \.filter),
        ]
        return all.compactMap { label, part in
            label.map { Condition(label: $0, address: list + selection.with { $0[keyPath: part] = nil }.query) }
        }
    }

    private static func heads(_ columns: [DeviceColumn], _ selection: DeviceSelection, _ list: String) -> [Head] {
        func head(_ label: String, _ sorts: (DeviceSort, DeviceSort)?) -> Head {
            guard let sorts else { return Head(label: label, sortAddress: nil, order: nil) }
            let next = selection.sort == sorts.0 ? sorts.1 : sorts.0
            let isSorted = selection.sort == sorts.0 || selection.sort == sorts.1
            return Head(
                label: label, sortAddress: list + selection.with { $0.sort = next }.query,
                order: isSorted ? (selection.sort.rawValue.hasPrefix("-") ? "descending" : "ascending") : nil)
        }
        return [head("Name", (.name, .nameDescending)), head("State", nil)] + columns.map { head($0.label, $0.sorts) }
    }
}

extension DeviceColumn {
    fileprivate func cell(_ item: DevicePage.Item, _ places: DomainNames) -> DevicesPage.Cell {
        func text(_ text: String?) -> DevicesPage.Cell { .init(text: text, time: nil, tags: []) }
        switch self {
        case .model: return text(item.modelName?.text)
        case .domain: return text(places.label(item.device.domain))
        case .labels:
            let labels = item.device.labels.sorted { $0.key < $1.key }.prefix(3)
            return .init(text: nil, time: nil, tags: labels.map { "\($0.key) \($0.value)" })
        case .seen: return .init(text: nil, time: Moment(item.presence.lastSeen), tags: [])
        case .address: return text(item.presence.address)
        case .place: return text(item.device.place)
        case .created: return .init(text: nil, time: Moment(item.device.created), tags: [])
        }
    }
}
