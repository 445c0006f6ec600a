import Access
import Base
import Fleet
import Northbound

/// What a device is wanted to be, where each member comes from and whether it follows; and the form of one layer: its own,
/// its model's or a domain's.
struct ConfigurationPage: PageView {
    static let template = "configuration"
    static let menu: MenuItem? = .devices

    /// What a device gets.
    struct Effective: Sendable {
        let words: String
        let badge: Badge
        let rows: [Row]
        let isNone: Bool
        let misfits: [ErrorPage.Fault]
        let hasMisfits: Bool
        let layers: [Layer]
    }

    /// One member of it.
    struct Row: Sendable {
        let pointer: String
        let value: String
        let source: String
        let standing: Badge
        let reported: String?
    }

    /// One layer that it may come from.
    struct Layer: Sendable {
        let label: String
        let layerAddress: String
        let says: String
    }

    /// The form.
    struct Editor: Sendable {
        let heading: String
        let reaches: String
        let action: String
        let version: String
        let mode: String
        let fields: [ConfigurationField]
        let document: String?
        let switchAddress: String?
        let switchLabel: String
    }

    /// What would be done, once it is asked for.
    struct Asks: Sendable {
        let effect: String
        let seen: String
        let verb: String?
        let retype: String?
        let examples: [Example]
    }

    /// A device that would change.
    struct Example: Sendable {
        let deviceName: String
        let deviceAddress: String
        let changes: [Change]
        let faults: [ErrorPage.Fault]
    }

    /// What would change in it.
    struct Change: Sendable {
        let pointer: String
        let from: String
        let to: String
    }

    let title: String
    let crumbs: [SitesPage.Found]
    /// Where many devices' own layers are changed.
    let manyAddress: String?
    let effective: Effective?
    let editor: Editor?
    let fault: String?
    let faults: [ErrorPage.Fault]
    let asks: Asks?
}

extension ConfigurationPage {
    /// The page of a place; `typed` is what came of its form.
    init(
        _ console: ConsoleParts, _ visit: TenantVisit, _ place: ConfigurationPlace, typed: ConfigurationForm? = nil,
        refusal: Refusal? = nil, asks: Asks? = nil
    ) async throws {
        title = place.title
        crumbs = place.crumbs
        manyAddress = place.canEdit ? place.manyAddress(visit.home) : nil
        effective =
            if let device = place.device { try await Effective(console, visit, device, place) } else { nil }
        // What was typed is shown again, also to who may not save it.
        editor = place.canEdit || typed != nil ? Editor(place, typed) : nil
        fault = refusal?.message
        faults = refusal?.faults.map { .init(place: $0.place, message: $0.message) } ?? []
        self.asks = asks
    }

    /// A value as people read it.
    static func words(_ value: JSONValue?) -> String {
        guard let value else { return "–" }
        if value == ["$secret": "set"] { return "set, secret" }
        return value.string ?? value.canonical
    }
}

extension ConfigurationPage.Effective {
    init(
        _ console: ConsoleParts, _ visit: TenantVisit, _ device: Device, _ place: ConfigurationPlace
    ) async throws {
        let view = try await console.fleet.desired(
            of: device.id.text, in: visit.tenant.id, by: visit.principal)
        words =
            view.document.version == 0
            ? "Nothing is desired yet." : "Version \(view.document.version) of what the device gets."
        badge = Self.badge(view.drift)
        rows = view.members.map { member in
            let standing: Badge =
                switch member.standing {
                case "follows": .good("Reported so")
                case "differs": .warning("Reported otherwise")
                case "secret": .off("Secret")
                default: .off("Not reported")
                }
            return ConfigurationPage.Row(
                pointer: member.pointer, value: ConfigurationPage.words(member.value),
                source: member.source.map { source in
                    place.layers.first { $0.id == source.id }?.label ?? "a \(source.kind)"
                } ?? "being worked out", standing: standing,
                reported: member.standing == "differs" ? ConfigurationPage.words(member.reported) : nil)
        }
        isNone = rows.isEmpty
        misfits = view.faults.map { .init(place: $0.place, message: $0.message) }
        hasMisfits = !misfits.isEmpty
        let said = Dictionary(view.layers.map { ($0.place.id, $0.members.count) }) { first, _ in first }
        layers = place.layers.compactMap { layer in
            guard let address = layer.address else { return nil }
            let says = said[layer.id] ?? 0
            return .init(
                label: layer.label, layerAddress: address,
                says: says == 0 ? "says nothing" : says == 1 ? "1 member" : "\(says) members")
        }
    }
}

extension ConfigurationPage.Effective {
    /// Whether a device follows, in a word.
    static func badge(_ drift: Int64?) -> Badge {
        switch drift {
        case nil: .off("Not known whether it follows")
        case 0: .good("Follows")
        case 1: .warning("1 difference")
        case let count?: .warning("\(count) differences")
        }
    }
}

extension ConfigurationPage.Editor {
    init(_ place: ConfigurationPlace, _ typed: ConfigurationForm?) {
        heading = place.heading
        reaches = place.reaches
        action = place.address
        version = "\(typed?.version ?? place.layer.version)"
        let isJSON = typed?.isJSON ?? (place.isJSON || place.fields.isEmpty)
        mode = isJSON ? "json" : "fields"
        fields = isJSON ? [] : place.fields.enumerated().map { .init($1, number: $0, place, typed) }
        document = isJSON ? typed?.text ?? ConfigurationForm.pretty(.object(place.layer.members)) : nil
        switchAddress =
            place.fields.isEmpty
            ? nil : place.address + (isJSON ? "" : place.address.contains("?") ? "&as=json" : "?as=json")
        switchLabel = isJSON ? "Edit as a form" : "Edit as JSON"
    }
}
