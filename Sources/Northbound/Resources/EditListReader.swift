import Base
package import Fleet

/// Reads what is to be changed in which devices from CSV: a column `device`, and one for each member, named by its JSON
/// pointer. An empty cell leaves its member as it is; `null` takes it away.
package struct EditListReader {
    private var reader = CSVReader()
    /// What each column is: nil is the one of the devices.
    private var header: [MemberPath?]?
    private var devices: [DesiredEditOrder.Named] = []
    private var bytes = 0

    /// A reader of one list.
    package init() {}

    /// Takes the next bytes of the list.
    package mutating func consume(_ part: some Collection<UInt8>) throws {
        bytes += part.count
        guard bytes <= FleetLimits.editBytes else {
            throw Refusal(
                .tooLarge, "desired.list",
                "The list has more than \(FleetLimits.editBytes) bytes; send it in parts.")
        }
        try read { reader, body in try reader.consume(part, body) }
    }

    /// The devices, once all is read.
    package mutating func finish() throws -> [DesiredEditOrder.Named] {
        try read { reader, body in try reader.finish(body) }
        guard header != nil else { throw Self.wrong(1, "there is no first line with the columns' names") }
        return devices
    }

    private mutating func read(_ act: (inout CSVReader, (CSVReader.Record) throws -> Void) throws -> Void) throws {
        var records: [CSVReader.Record] = []
        do { try act(&reader) { records.append($0) } } catch let fault as CSVReader.Fault {
            throw Self.wrong(fault.line, fault.message)
        }
        for record in records { try take(record) }
    }

    private mutating func take(_ record: CSVReader.Record) throws {
        guard let header else {
            header = try Self.header(record)
            return
        }
        guard record.fields.count == header.count else {
            throw Self.wrong(record.line, "there are \(record.fields.count) cells for \(header.count) columns")
        }
        guard devices.count < FleetLimits.editedDevices else {
            throw Self.wrong(record.line, "a list has at most \(FleetLimits.editedDevices) devices")
        }
        var (device, texts): (String, [MemberPath: String]) = ("", [:])
        for (path, cell) in zip(header, record.fields) where !cell.isEmpty {
            if let path { texts[path] = cell } else { device = cell }
        }
        guard !device.isEmpty else { throw Self.wrong(record.line, "no device is named") }
        devices.append(.init(device, texts: texts))
    }

    private static func header(_ record: CSVReader.Record) throws -> [MemberPath?] {
        var (columns, isNamed): ([MemberPath?], Bool) = ([], false)
        for field in record.fields {
            if field == "device" {
                guard !isNamed else { throw wrong(record.line, "two columns are called device") }
                isNamed = true
                columns.append(nil)
            } else if let path = MemberPath(pointer: field) {
                // Of a member and what is within it, which is written first would decide.
                if let other = columns.compactMap(\.self).first(where: path.overlaps) {
                    throw wrong(record.line, "the columns \(other.pointer) and \(field) concern the same member")
                }
                columns.append(path)
            } else {
                throw wrong(record.line, "\(field) is neither device nor a JSON pointer such as /net/apn")
            }
        }
        guard isNamed else { throw wrong(record.line, "no column is called device") }
        return columns
    }

    private static func wrong(_ line: Int, _ message: String) -> Refusal {
        Refusal(
            .invalid, "desired.list", "The list can not be read: line \(line): \(message).",
            faults: [.init(place: "line \(line)", message: message)])
    }
}
