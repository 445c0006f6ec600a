public import Base

/// Reads a list of devices to register, CSV or a JSON array, as its bytes come in.
///
/// It goes on after a faulty line, so that one attempt names as many faults as possible; text that is not CSV or JSON
/// at all ends it at once.
public struct RegistrationReader {
    /// How the list is written.
    public enum Format: Sendable {
        /// CSV with a header line.
        case csv
        /// An array of objects.
        case json
    }

    /// One device of the list and where it stood.
    struct Line: Sendable {
        var place: RegistrationPlace
        var draft: DeviceDraft
    }

    private let limit: Int
    private let byteLimit: Int
    private let format: Format
    private var bytes = 0
    private var csv = CSVReader()
    private var json = JSONArrayReader()
    private var columns: [RegistrationColumn]?
    private var collected = Collected()

    /// A reader of at most this many devices and bytes.
    public init(
        _ format: Format, devices: Int = FleetLimits.registeredAtOnce, bytes: Int = FleetLimits.registrationBytes
    ) {
        self.format = format
        limit = devices
        byteLimit = bytes
    }

    /// Takes the next bytes of the list.
    public mutating func consume(_ input: some Collection<UInt8>) throws(Refusal) {
        bytes += input.count
        guard bytes <= byteLimit else {
            throw Refusal(.tooLarge, "devices.tooLarge", "the list is longer than \(byteLimit) bytes; send it in parts")
        }
        do {
            switch format {
            case .csv: try csv.consume(input) { try collected.take($0, &columns, limit) }
            case .json: try json.consume(input) { try collected.take(json: $0, limit) }
            }
        } catch {
            throw Self.refusal(for: error)
        }
    }

    /// Ends the list; otherwise `devices.invalid` with the faulty lines.
    public mutating func finish() throws(Refusal) -> RegistrationList {
        do {
            switch format {
            case .csv: try csv.finish { try collected.take($0, &columns, limit) }
            case .json: try json.finish()
            }
        } catch {
            throw Self.refusal(for: error)
        }
        let lines = collected.lines
        guard collected.faults.total == 0 else { throw collected.faults.refusal }
        guard !lines.isEmpty else {
            throw Refusal(
                .invalid, "devices.invalid", "the list has no device; begin with a header line and one device")
        }
        return RegistrationList(lines: lines)
    }

    private static func refusal(for error: any Error) -> Refusal {
        switch error {
        case let refusal as Refusal: refusal
        case let fault as CSVReader.Fault: unreadable(fault.line, fault.message)
        case let fault as JSONArrayReader.Fault: unreadable(fault.line, fault.message)
        default: Refusal(.invalid, "devices.invalid", "the list can not be read", detail: String(describing: error))
        }
    }

    private static func unreadable(_ line: Int, _ message: String) -> Refusal {
        Refusal(
            .invalid, "devices.invalid", "the list can not be read from line \(line) on: \(message)",
            faults: [Refusal.Fault(place: "line \(line)", message: message)])
    }
}

/// A list of devices that are each well-formed and do not contradict one another.
public struct RegistrationList: Sendable {
    let lines: [RegistrationReader.Line]

    /// How many devices there are.
    public var count: Int { lines.count }
}

/// What was read so far.
private struct Collected {
    var lines: [RegistrationReader.Line] = []
    var faults = RegistrationFaults(total: 0, named: [])
    private var names: [String: RegistrationPlace] = [:]
    private var hardware: [HardwareIdentifier: RegistrationPlace] = [:]
    private var elements = 0

    mutating func take(
        _ record: CSVReader.Record, _ columns: inout [RegistrationColumn]?, _ limit: Int
    ) throws {
        guard let known = columns else {
            columns = try RegistrationColumn.read(header: record.fields, line: record.line)
            return
        }
        try checkCount(limit)
        let place = RegistrationPlace.line(record.line)
        let draft = DeviceDraft(cells: record.fields, columns: known) { faults.add(place, $0) }
        if let draft { add(draft, place) }
    }

    mutating func take(json element: [UInt8], _ limit: Int) throws {
        try checkCount(limit)
        let place = RegistrationPlace.element(elements)
        elements += 1
        let value: JSONValue
        do {
            value = try JSONValue(parsing: element, limits: JSONLimits(bytes: FleetLimits.registrationLineBytes))
        } catch {
            faults.add(place, error.message, within: error.pointer)
            return
        }
        do {
            add(try DeviceDraft(json: value), place)
        } catch {
            for inner in error.faults { faults.add(place, inner.message, within: inner.place) }
        }
    }

    private func checkCount(_ limit: Int) throws {
        guard lines.count < limit else {
            throw Refusal(.tooLarge, "devices.tooMany", "one call registers at most \(limit) devices; send more calls")
        }
    }

    private mutating func add(_ draft: DeviceDraft, _ place: RegistrationPlace) {
        if let other = names.updateValue(place, forKey: draft.name.text) {
            faults.add(place, "name \(draft.name) is at \(other) already")
        }
        for identifier in draft.identifiers {
            if let other = hardware.updateValue(place, forKey: identifier) {
                faults.add(place, "\(identifier) is at \(other) already")
            }
        }
        lines.append(RegistrationReader.Line(place: place, draft: draft))
    }
}

/// The faults of a bulk registration, of which only the first are named.
struct RegistrationFaults {
    var total: Int
    var named: [Refusal.Fault]

    /// One more; `within` is a JSON pointer into the device, when the list is JSON.
    mutating func add(_ place: RegistrationPlace, _ message: String, within pointer: String = "") {
        total += 1
        if named.count < FleetLimits.namedFaults {
            named.append(Refusal.Fault(place: "\(place)\(pointer)", message: message))
        }
    }

    var refusal: Refusal {
        let more = total > named.count ? "; the first \(named.count) are named" : ""
        return Refusal(
            .invalid, "devices.invalid",
            "nothing was registered: the list has \(total) fault\(total == 1 ? "" : "s")\(more)", faults: named)
    }
}
