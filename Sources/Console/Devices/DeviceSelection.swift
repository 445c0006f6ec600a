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

/// Which devices a list shows and how, as its address says it.
struct DeviceSelection: Sendable, Hashable {
    /// A state by which people look for devices.
    enum State: String, CaseIterable, Sendable {
        case online, offline, waiting, suspended, revoked

        var label: String {
            switch self {
            case .online: "Online"
            case .offline: "Offline"
            case .waiting: "Waiting"
            case .suspended: "Suspended"
            case .revoked: "Revoked"
            }
        }

        /// The condition in the language of filters.
        var filter: String {
            switch self {
            case .online: "status = active and online"
            case .offline: "status = active and not online"
            case .waiting: "status = registered"
            case .suspended: "status = suspended"
            case .revoked: "status = revoked"
            }
        }
    }

    var state: State?
    var model: String?
    var domain: String?
    var find: String?
    /// A condition in the language of filters, for what has no field of its own.
    var filter: String?
    var sort: DeviceSort = .name
    var cursor: String?

    /// The selection that an address or a form spells.
    init(_ fields: FormFields) {
        state = fields.text("state").flatMap { State(rawValue: $0) }
        model = fields.text("model")
        domain = fields.text("domain")
        find = fields.text("find")
        filter = fields.text("filter")
        sort = fields.text("sort").flatMap { DeviceSort(rawValue: $0) } ?? .name
        cursor = fields.text("cursor")
    }

    /// The devices in this state.
    init(_ state: State?, sort: DeviceSort = .name) {
        self.state = state
        self.sort = sort
    }

    /// The fields that are not as usual.
    var fields: [(name: String, value: String)] {
        let all: [(String, String?)] = [
            ("state", state?.rawValue), ("model", model), ("domain", domain), ("find", find), ("filter", filter),
            ("sort", sort == .name ? nil : sort.rawValue), ("cursor", cursor),
        ]
        return all.compactMap { name, value in value.map { (name, $0) } }
    }

    /// The address's query, with its question mark; empty when all is as usual.
    var query: String {
        let fields = fields
        return fields.isEmpty
            ? "" : "?" + fields.map { "\($0.name)=\($0.value.percentEncoded)" }.joined(separator: "&")
    }

    /// The same with a change, from its first page.
    func with(_ change: (inout DeviceSelection) -> Void) -> DeviceSelection {
        var result = self
        result.cursor = nil
        change(&result)
        return result
    }

    /// The whole condition in the language of filters; nil when all devices are meant.
    var condition: String? {
        var parts: [String] = []
        if let state { parts.append(state.filter) }
        if let model { parts.append("model = \(DeviceFilter.quoted(model))") }
        if let domain { parts.append("domain = \(DeviceFilter.quoted(domain))") }
        if let find { parts.append("name ~ \(DeviceFilter.quoted(find))") }
        if let filter { parts.append("(\(filter))") }
        return parts.isEmpty ? nil : parts.joined(separator: " and ")
    }
}
