import Base

/// What one column of a registration's CSV holds.
enum RegistrationColumn: Equatable {
    case name
    case model
    case domain
    case capabilities
    case hardware(HardwareIdentifier.Kind)
    case latitude
    case longitude
    case place
    case label(String)
    case attribute(String)
    case component(String)

    private static let plain: [(heading: String, column: RegistrationColumn)] = [
        ("name", .name), ("model", .model), ("domain", .domain), ("capabilities", .capabilities),
        ("latitude", .latitude), ("longitude", .longitude), ("place", .place),
    ]

    /// The columns that a header names; every fault is on the header's line.
    static func read(header: [String], line: Int) throws(Refusal) -> [RegistrationColumn] {
        var columns: [RegistrationColumn] = []
        var faults: [Refusal.Fault] = []
        let place = "line \(line)"
        for heading in header {
            guard let column = column(heading) else {
                let known = plain.map(\.heading) + HardwareIdentifier.Kind.allCases.map(\.rawValue)
                let hint = known.nearest(to: heading).map { "did you mean \($0)?" }
                let message = hint ?? "use \(known.joined(separator: ", ")), label.KEY, attribute.KEY or component.NAME"
                faults.append(Refusal.Fault(place: place, message: "column \"\(heading)\" is not known; \(message)"))
                continue
            }
            // A device may well have two network addresses, but only one of everything else.
            if columns.contains(column), column.hardwareKind == nil {
                faults.append(Refusal.Fault(place: place, message: "column \"\(heading)\" is there twice"))
            }
            columns.append(column)
        }
        if !columns.contains(.name), faults.isEmpty {
            faults.append(Refusal.Fault(place: place, message: "the first line must name the columns; name is missing"))
        }
        guard faults.isEmpty else { throw .faulty("devices.invalid", "The list of devices", faults) }
        return columns
    }

    private var hardwareKind: HardwareIdentifier.Kind? {
        if case .hardware(let kind) = self { kind } else { nil }
    }

    private static func column(_ heading: String) -> RegistrationColumn? {
        if let match = plain.first(where: { $0.heading == heading }) { return match.column }
        if let kind = HardwareIdentifier.Kind(rawValue: heading) { return .hardware(kind) }
        guard let dot = heading.firstIndex(of: "."), let key = Name(heading[heading.index(after: dot)...])
        else { return nil }
        switch heading[..<dot] {
        case "label": return .label(key.text)
        case "attribute": return .attribute(key.text)
        case "component": return .component(key.text)
        default: return nil
        }
    }
}

extension DeviceDraft {
    /// The draft in one line of CSV; an empty cell means that the line says nothing about that column.
    init?(cells: [String], columns: [RegistrationColumn], fault: (String) -> Void) {
        guard cells.count == columns.count else {
            fault("has \(cells.count) fields where the header has \(columns.count)")
            return nil
        }
        var name: Name?
        var model: String?
        var domain: String?
        var place: String?
        var capabilities: Capabilities?
        var identifiers: [HardwareIdentifier] = []
        var labels: [String: String] = [:]
        var attributes: [String: JSONValue] = [:]
        var components: [String: String] = [:]
        var latitude: Double?
        var longitude: Double?
        var isSound = true
        func wrong(_ message: String) {
            isSound = false
            fault(message)
        }
        func plain(_ cell: String, _ what: String, _ limit: Int) -> String? {
            if PlainText.isPlain(cell, limit: limit) { return cell }
            wrong("\(what) must be at most \(limit) bytes without control characters")
            return nil
        }
        for (cell, column) in zip(cells, columns) where !cell.isEmpty {
            switch column {
            case .name:
                name = Name(cell)
                if name == nil {
                    wrong("name must be 1 to 128 letters, digits and ._:- and start with a letter or digit")
                } else if DeviceID(text: cell) != nil {
                    wrong("name must not be 32 hexadecimal digits, which are a device's identifier")
                }
            case .model: model = plain(cell, "model", 128)
            case .domain: domain = plain(cell, "domain", 1024)
            case .place: place = plain(cell, "place", FleetLimits.placeBytes)
            case .capabilities:
                var set: Capabilities = []
                for word in cell.split(whereSeparator: { " ;|".contains($0) }) {
                    if let capability = Capabilities(word: word) {
                        set.insert(capability)
                    } else {
                        let words = Capabilities.words.map(\.word).joined(separator: ", ")
                        wrong("capabilities must be words of \(words), with spaces between")
                    }
                }
                capabilities = set
            case .hardware(let kind):
                if let identifier = HardwareIdentifier(kind, cell) {
                    if identifiers.contains(identifier) {
                        wrong("\(kind.rawValue) is there twice")
                    } else {
                        identifiers.append(identifier)
                    }
                } else {
                    wrong("\(kind.rawValue) \(HardwareIdentifier.rule(of: kind))")
                }
            case .label(let key): labels[key] = plain(cell, "label.\(key)", FleetLimits.labelValueBytes)
            case .attribute(let key):
                if let text = plain(cell, "attribute.\(key)", FleetLimits.attributesBytes) {
                    attributes[key] = .string(text)
                }
            case .component(let key): components[key] = plain(cell, "component.\(key)", FleetLimits.versionBytes)
            case .latitude:
                latitude = Double(cell)
                if latitude.map({ !(-90...90).contains($0) }) ?? true { wrong("latitude must be from -90 to 90") }
            case .longitude:
                longitude = Double(cell)
                if longitude.map({ !(-180...180).contains($0) }) ?? true { wrong("longitude must be from -180 to 180") }
            }
        }
        if name == nil, isSound { wrong("name is missing") }
        if (latitude == nil) != (longitude == nil), isSound { wrong("latitude and longitude belong together") }
        if identifiers.count > FleetLimits.hardwareIdentifiers { wrong("has too many hardware identifiers") }
        if labels.count > FleetLimits.labels { wrong("has more than \(FleetLimits.labels) labels") }
        if components.count > FleetLimits.components { wrong("has more than \(FleetLimits.components) components") }
        if attributes.count > FleetLimits.attributes { wrong("has more than \(FleetLimits.attributes) attributes") }
        if JSONValue.object(attributes).canonical.utf8.count > FleetLimits.attributesBytes {
            wrong("attributes must not exceed \(FleetLimits.attributesBytes) bytes together")
        }
        guard isSound, let name else { return nil }
        var location: Location?
        if let latitude, let longitude { location = Location(latitude: latitude, longitude: longitude) }
        self.init(
            name: name, model: model, domain: domain, capabilities: capabilities ?? .usual,
            identifiers: identifiers.sorted(), labels: labels, attributes: attributes, components: components,
            location: location, place: place)
    }
}
