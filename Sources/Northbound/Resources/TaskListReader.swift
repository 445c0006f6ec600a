import Base
import Fleet
import Operations

/// Reads which devices an operation is for from CSV: a column `device`, and a column for each member of the input that
/// differs from device to device. Cells are texts; an empty one leaves its member to the operation's own input.
struct TaskListReader {
    private var reader = CSVReader()
    private var header: [String]?
    private var devices: [OperationTarget.Named] = []
    private var bytes = 0

    /// Takes the next bytes of the list.
    mutating func consume(_ part: some Collection<UInt8>) throws {
        bytes += part.count
        guard bytes <= NorthboundLimits.uploadBytes else {
            throw Refusal(
                .tooLarge, "operation.list",
                "The list has more than \(NorthboundLimits.uploadBytes) bytes; order in parts.")
        }
        try read { reader, body in try reader.consume(part, body) }
    }

    /// The devices, once all is read.
    mutating func finish() throws -> [OperationTarget.Named] {
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
            guard record.fields.contains("device") else { throw Self.wrong(record.line, "no column is called device") }
            guard Set(record.fields).count == record.fields.count else {
                throw Self.wrong(record.line, "two columns have the same name")
            }
            self.header = record.fields
            return
        }
        guard record.fields.count == header.count else {
            throw Self.wrong(record.line, "there are \(record.fields.count) cells for \(header.count) columns")
        }
        guard devices.count < OperationLimits.namedDevices else {
            throw Self.wrong(record.line, "a list has at most \(OperationLimits.namedDevices) devices")
        }
        var (device, input): (String, [String: JSONValue]) = ("", [:])
        for (name, cell) in zip(header, record.fields) where !cell.isEmpty {
            if name == "device" { device = cell } else { input[name] = .string(cell) }
        }
        guard !device.isEmpty else { throw Self.wrong(record.line, "no device is named") }
        devices.append(.init(device, input: input.isEmpty ? nil : .object(input)))
    }

    private static func wrong(_ line: Int, _ message: String) -> Refusal {
        Refusal(
            .invalid, "operation.list", "The list can not be read: line \(line): \(message).",
            faults: [.init(place: "line \(line)", message: message)])
    }
}
