import Base

@testable import Fleet

extension Probe {
    /// CSV with small limits, whole and in pieces as long as the first byte says.
    public static func csv(_ bytes: [UInt8]) throws {
        guard let first = bytes.first else { return }
        let text = bytes.dropFirst()
        let whole = readCSV(text, piece: text.count)
        try check(readCSV(text, piece: Int(first % 16) + 1) == whole, "CSV in pieces is read like the whole")
        var last = 0
        for record in whole.records {
            try check(record.line > last, "records begin on ascending lines")
            try check((1...8).contains(record.fields.count), "a record has a bounded number of fields")
            last = record.line
        }
        // Written again with every field quoted, it says the same.
        let lines = whole.records.map { record in
            record.fields.map(CSVCell.quoted).joined(separator: ",") + "\r\n"
        }
        let again = readCSV(Array(lines.joined().utf8)[...], piece: 4096, recordLimit: 4096)
        try check(again.fault == nil, "CSV that was written again can be read")
        try check(
            again.records.map(\.fields) == whole.records.map(\.fields), "CSV that was written again says the same")
    }

    private struct CSV: Equatable {
        var records: [CSVReader.Record] = []
        var fault: CSVReader.Fault?
    }

    private static func readCSV(_ text: ArraySlice<UInt8>, piece: Int, recordLimit: Int = 200) -> CSV {
        var reader = CSVReader(recordLimit: recordLimit, fieldLimit: 8)
        var csv = CSV()
        do {
            for piece in pieces(text, of: piece) { try reader.consume(piece) { csv.records.append($0) } }
            try reader.finish { csv.records.append($0) }
        } catch {
            csv.fault = error as? CSVReader.Fault
        }
        return csv
    }

    /// The cutting of a JSON array with small limits, whole and in pieces as long as the first byte says.
    public static func jsonArray(_ bytes: [UInt8]) throws {
        guard let first = bytes.first else { return }
        let text = bytes.dropFirst()
        let whole = cut(text, piece: text.count)
        try check(cut(text, piece: Int(first % 16) + 1) == whole, "an array in pieces is cut like the whole")
        try check(whole.elements.allSatisfy { $0.count <= 100 }, "an element is bounded")
        guard whole.fault == nil else { return }
        let joined = Array("[".utf8) + whole.elements.joined(separator: Array(",".utf8)) + Array("]".utf8)
        let again = cut(joined[...], piece: 4096)
        try check(
            again.fault == nil && again.elements == whole.elements, "an array that was put together again is the same")
    }

    private struct Cut: Equatable {
        var elements: [[UInt8]] = []
        var fault: JSONArrayReader.Fault?
    }

    private static func cut(_ text: ArraySlice<UInt8>, piece: Int) -> Cut {
        var reader = JSONArrayReader(elementLimit: 100)
        var cut = Cut()
        do {
            for piece in pieces(text, of: piece) {
                try reader.consume(piece) { cut.elements.append($0) }
            }
            try reader.finish()
        } catch {
            cut.fault = error as? JSONArrayReader.Fault
        }
        return cut
    }

    /// A list of devices as it is uploaded; the first byte chooses the form and the length of the pieces.
    public static func registration(_ bytes: [UInt8]) throws {
        guard let first = bytes.first else { return }
        var reader = RegistrationReader(first & 1 == 0 ? .csv : .json, devices: 16, bytes: 2048)
        do {
            for piece in pieces(bytes.dropFirst(), of: Int(first >> 1) + 1) { try reader.consume(piece) }
            let list = try reader.finish()
            try check((1...16).contains(list.count), "a list has a bounded number of devices")
            let names = list.lines.map(\.draft.name)
            try check(Set(names).count == names.count, "each device of a list has its own name")
            for line in list.lines {
                try check(line.draft.faults.isEmpty, "a device of a list is one that could come by itself")
            }
        } catch let refusal as Refusal {
            try check(refusal.code.hasPrefix("device"), "a list is refused with a code of its own: \(refusal)")
            try check(refusal.faults.count <= FleetLimits.namedFaults, "a bounded number of faults is named")
        }
    }
}
