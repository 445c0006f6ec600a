import Base
import Fleet

/// Reads a CSV list of devices: a first line with the columns' names, one of them `device`, then a line for each device.
/// An empty cell is as if its column were not there.
package struct DeviceListReader<Column, Element> {
    /// What a list may be, and what it is read into.
    struct Rules {
        /// The code of its refusals.
        let code: String
        /// Bytes it may have.
        let bytes: Int
        /// Devices it may name.
        let devices: Int
        /// What to do with a longer one, such as "send it in parts".
        let advice: String
        /// The column that a name in the first line means, after those before it; throws what is wrong with it.
        let column: (_ name: String, _ before: [Column]) throws(Fault) -> Column
        /// What a line says.
        let element: (_ device: String, _ cells: [(column: Column, cell: String)]) -> Element
    }

    /// What is wrong with a column.
    struct Fault: Error {
        let message: String

        init(_ message: String) { self.message = message }
    }

    private let rules: Rules
    private var reader = CSVReader()
    /// What each column is: nil is the one of the devices.
    private var header: [Column?]?
    private var elements: [Element] = []
    private var bytes = 0

    init(_ rules: Rules) { self.rules = rules }

    /// Takes the next bytes of the list.
    package mutating func consume(_ part: some Collection<UInt8>) throws {
        bytes += part.count
        guard bytes <= rules.bytes else {
            throw Refusal(.tooLarge, rules.code, "The list has more than \(rules.bytes) bytes; \(rules.advice).")
        }
        try read { reader, body in try reader.consume(part, body) }
    }

    /// What the lines say, once all is read.
    package mutating func finish() throws -> [Element] {
        try read { reader, body in try reader.finish(body) }
        guard header != nil else { throw wrong(1, "there is no first line with the columns' names") }
        return elements
    }

    private mutating func read(_ act: (inout CSVReader, (CSVReader.Record) throws -> Void) throws -> Void) throws {
        var records: [CSVReader.Record] = []
        do { try act(&reader) { records.append($0) } } catch let fault as CSVReader.Fault {
            throw wrong(fault.line, fault.message)
        }
        for record in records { try take(record) }
    }

    private mutating func take(_ record: CSVReader.Record) throws {
        guard let header else {
            header = try columns(record)
            return
        }
        guard record.fields.count == header.count else {
            throw wrong(record.line, "there are \(record.fields.count) cells for \(header.count) columns")
        }
        guard elements.count < rules.devices else {
            throw wrong(record.line, "a list has at most \(rules.devices) devices")
        }
        var (device, cells): (String, [(column: Column, cell: String)]) = ("", [])
        for (column, cell) in zip(header, record.fields) where !cell.isEmpty {
            if let column { cells.append((column, cell)) } else { device = cell }
        }
        guard !device.isEmpty else { throw wrong(record.line, "no device is named") }
        elements.append(rules.element(device, cells))
    }

    private func columns(_ record: CSVReader.Record) throws -> [Column?] {
        guard record.fields.contains("device") else { throw wrong(record.line, "no column is called device") }
        guard Set(record.fields).count == record.fields.count else {
            throw wrong(record.line, "two columns have the same name")
        }
        var columns: [Column?] = []
        for name in record.fields {
            do throws(Fault) {
                columns.append(name == "device" ? nil : try rules.column(name, columns.compactMap(\.self)))
            } catch {
                throw wrong(record.line, error.message)
            }
        }
        return columns
    }

    private func wrong(_ line: Int, _ message: String) -> Refusal {
        Refusal(
            .invalid, rules.code, "The list can not be read: line \(line): \(message).",
            faults: [.init(place: "line \(line)", message: message)])
    }
}
