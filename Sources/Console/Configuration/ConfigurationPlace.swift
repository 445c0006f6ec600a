import Access
import Base
import Fleet
import Northbound

/// The place whose layer a page shows and edits.
struct ConfigurationPlace: Sendable {
    /// A layer that reaches the device, as a link.
    struct Line: Sendable {
        let id: String
        let label: String
        let address: String?
    }

    let reference: LayerReference
    let layer: DesiredLayer
    let title: String
    let heading: String
    let reaches: String
    let address: String
    let crumbs: [SitesPage.Found]
    let canEdit: Bool
    let isJSON: Bool
    /// The settings of its model's schema.
    let fields: [SchemaField]
    /// What the layers above say, by JSON pointer.
    let inherited: [String: JSONValue]
    /// The device, when it is one.
    let device: Device?
    /// The layers that reach it, the outermost first.
    let layers: [Line]
}

extension ConfigurationPlace {
    /// Where the own layers of the devices here are changed at once; nil for a single device.
    func manyAddress(_ home: String) -> String? {
        switch reference {
        case .domain(let domain): "\(home)/configuration/edits?domain=\(domain)"
        case .model: "\(home)/configuration/edits"
        case .device: nil
        }
    }

    /// The device in the path.
    static func device(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> ConfigurationPlace {
        let (tenant, principal, home) = (visit.tenant.id, visit.principal, visit.home)
        let details = try await console.fleet.show(visit.path("device"), in: tenant, by: principal)
        let device = details.device
        let held = try await console.permissions(of: principal, tenant: tenant, device: device)
        let view = try await console.fleet.desired(of: device.id.text, in: tenant, by: principal)
        let tree = try await console.tree(visit)
        let reference = LayerReference.device(device.id.text)
        var layers: [Line] = []
        if let model = details.model {
            let sees = held.contains(.modelRead)
            layers.append(
                Line(
                    id: model.id.text, label: "model \(model.name)",
                    address: sees ? "\(home)/configuration?model=\(model.id.text)" : nil))
        }
        layers += tree.line(to: device.domain).map { domain in
            Line(
                id: domain.id.text, label: domain.parent == nil ? "all domains" : "domain \(domain.name)",
                address: "\(home)/configuration?domain=\(domain.id.text)")
        }
        layers.append(Line(id: device.id.text, label: "the device itself", address: nil))
        let list = "\(home)/devices"
        return ConfigurationPlace(
            reference: reference, layer: try await console.fleet.layer(at: reference, in: tenant, by: principal),
            title: "Configuration of \(device.name)", heading: "Its own",
            reaches: "What is said here counts for this device alone, over everything above.",
            address: "\(list)/\(device.name)/configuration",
            crumbs: [
                .init(label: "Devices", address: list),
                .init(label: device.name.text, address: "\(list)/\(device.name)"),
            ], canEdit: held.contains(.deviceControl), isJSON: visit.query.text("as") == "json",
            fields: details.model?.document.desiredSchema?.fields ?? [],
            inherited: Dictionary(
                view.members.filter { $0.source.map { $0.kind != "device" } ?? false }.map { ($0.pointer, $0.value) }
            ) { first, _ in first }, device: device, layers: layers)
    }

    /// The domain or model that the address names.
    static func shared(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> ConfigurationPlace {
        let (tenant, principal, home) = (visit.tenant.id, visit.principal, visit.home)
        let isJSON = visit.query.text("as") == "json"
        if let text = visit.query.text("model") {
            let model = try await console.fleet.model(text, in: tenant, by: principal)
            let reference = LayerReference.model(model.id.text)
            return ConfigurationPlace(
                reference: reference, layer: try await console.fleet.layer(at: reference, in: tenant, by: principal),
                title: "Configuration of model \(model.name)", heading: "For all its devices",
                reaches: "Domains and devices may say otherwise: the nearer layer counts.",
                address: "\(home)/configuration?model=\(model.id.text)",
                crumbs: [.init(label: "Devices", address: "\(home)/devices")],
                // It reaches devices wherever they are.
                canEdit: try await console.isAllowed(.deviceControl, visit), isJSON: isJSON,
                fields: model.document.desiredSchema?.fields ?? [], inherited: [:], device: nil, layers: [])
        }
        let tree = try await console.tree(visit)
        guard let domain = tree.domain(visit.query.text("domain")) else {
            throw Refusal(.notFound, "domain.unknown", "There is no such domain, or it is not for you.")
        }
        let reference = LayerReference.domain(domain.id.text)
        let there = try await console.permissions(visit, at: domain.id)
        return ConfigurationPlace(
            reference: reference, layer: try await console.fleet.layer(at: reference, in: tenant, by: principal),
            title: "Configuration of \(domain.parent == nil ? "all domains" : domain.name)",
            heading: "For all devices in it and below",
            reaches: "Domains below and devices may say otherwise: the nearer layer counts.",
            address: "\(home)/configuration?domain=\(domain.id.text)",
            crumbs: [
                .init(label: "Sites & access", address: "\(home)/sites"),
                .init(label: tree.label(domain.id) ?? domain.name, address: "\(home)/sites?at=\(domain.id.text)"),
            ], canEdit: there.contains(.deviceControl), isJSON: isJSON, fields: [], inherited: [:], device: nil,
            layers: [])
    }
}
