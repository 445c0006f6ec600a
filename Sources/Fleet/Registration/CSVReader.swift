import Base

/// Reads CSV (RFC 4180) as its bytes come in, one record at a time.
///
/// What separates the fields is seen in the first line that is not empty: a comma, a semicolon or a tab, whichever
/// occurs most often outside quotes. Spreadsheets write semicolons where the comma belongs to numbers.
///
/// Fields may be quoted, a quote within is doubled; lines end with LF or CRLF; a byte order mark is skipped, and so are
/// empty lines. Every byte meets a limit before it is kept.
package struct CSVReader {
    /// One record and the line on which it begins, counted from one.
    package struct Record: Equatable {
        /// The line.
        package var line: Int
        /// Its cells.
        package var fields: [String]
    }

    /// Why the text is not CSV that can be read.
    package struct Fault: Error, Equatable {
        /// The line.
        package var line: Int
        /// What is wrong there.
        package var message: String
    }

    private enum State {
        case fieldStart
        case plain
        case quoted
        /// After a quote within a quoted field: either its end or the first half of a doubled quote.
        case quoteInQuoted
    }

    private let recordLimit: Int
    private let fieldLimit: Int
    private var state = State.fieldStart
    private var line = 1
    private var recordLine = 1
    private var recordBytes = 0
    private var field: [UInt8] = []
    private var fields: [String] = []
    private var markBytes = 0
    private var isFirst = true
    /// What separates fields; nil until the first line is whole.
    private var separator: UInt8?
    private var opening: [UInt8] = []
    private var opens = OpeningLine()

    /// A reader of records with at most this many bytes and fields.
    package init(
        recordLimit: Int = FleetLimits.registrationLineBytes, fieldLimit: Int = FleetLimits.registrationColumns
    ) {
        self.recordLimit = recordLimit
        self.fieldLimit = fieldLimit
    }

    /// Takes the next bytes and hands each record that they complete to `body`.
    package mutating func consume(_ bytes: some Sequence<UInt8>, _ body: (Record) throws -> Void) throws {
        for byte in bytes {
            guard separator == nil else {
                try take(byte, body)
                continue
            }
            opening.append(byte)
            // A line that is too long is refused when it is read.
            if opens.isEnded(by: byte) || opening.count > recordLimit + 4 { try readOpening(body) }
        }
    }

    /// Reads the first line, now that what separates its fields is known.
    private mutating func readOpening(_ body: (Record) throws -> Void) throws {
        separator = opens.separator
        for byte in opening { try take(byte, body) }
        opening = []
    }

    private mutating func take(_ byte: UInt8, _ body: (Record) throws -> Void) throws {
        let separator = separator ?? UInt8(ascii: ",")
        if isFirst, skipsMark(byte) { return }
        recordBytes += 1
        guard recordBytes <= recordLimit else { throw fault("the line is longer than \(recordLimit) bytes") }
        switch (state, byte) {
        case (.fieldStart, UInt8(ascii: "\"")): state = .quoted
        case (.quoted, UInt8(ascii: "\"")): state = .quoteInQuoted
        case (.quoted, _):
            if byte == UInt8(ascii: "\n") { line += 1 }
            field.append(byte)
        case (.quoteInQuoted, UInt8(ascii: "\"")):
            field.append(byte)
            state = .quoted
        case (_, separator): try endField()
        case (_, UInt8(ascii: "\n")):
            if let record = try endRecord() { try body(record) }
            line += 1
            recordLine = line
        case (.quoteInQuoted, UInt8(ascii: "\r")), (.fieldStart, UInt8(ascii: "\r")):
            // Only the carriage return of a line's end may stand outside a field; endRecord drops it.
            if state == .fieldStart { state = .plain }
            if state == .plain { field.append(byte) }
        case (.quoteInQuoted, _): throw fault("only a separator or the line's end may follow a closing quote")
        case (.plain, UInt8(ascii: "\"")): throw fault("a field with a quote must be quoted as a whole")
        case (.fieldStart, _), (.plain, _):
            state = .plain
            field.append(byte)
        }
    }

    /// Ends the text and hands a last record without line end to `body`.
    package mutating func finish(_ body: (Record) throws -> Void) throws {
        if separator == nil { try readOpening(body) }
        if state == .quoted { throw fault("a quoted field does not end") }
        if let record = try endRecord() { try body(record) }
    }

    /// The bytes EF BB BF at the very beginning.
    private mutating func skipsMark(_ byte: UInt8) -> Bool {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        if markBytes < mark.count, byte == mark[markBytes] {
            markBytes += 1
            if markBytes == mark.count { isFirst = false }
            return true
        }
        isFirst = false
        field.append(contentsOf: mark.prefix(markBytes))
        if markBytes > 0 { state = .plain }
        return false
    }

    private func fault(_ message: String) -> Fault { Fault(line: recordLine, message: message) }

    private mutating func endField() throws {
        guard let text = String(validating: field, as: UTF8.self) else { throw fault("the text is not valid UTF-8") }
        guard fields.count < fieldLimit else { throw fault("there are more than \(fieldLimit) fields") }
        fields.append(text)
        field.removeAll(keepingCapacity: true)
        state = .fieldStart
    }

    private mutating func endRecord() throws -> Record? {
        if state == .plain, field.last == UInt8(ascii: "\r") { field.removeLast() }
        let isEmptyLine = fields.isEmpty && field.isEmpty && state != .quoteInQuoted
        try endField()
        defer {
            fields.removeAll(keepingCapacity: true)
            recordBytes = 0
        }
        return isEmptyLine ? nil : Record(line: recordLine, fields: fields)
    }
}

/// Counts, outside quotes, what may separate the fields of a list's first line.
private struct OpeningLine {
    private var counts: [UInt8: Int] = [:]
    private var isQuoted = false
    private var hasContent = false

    /// Takes the next byte; true when it ends the first line that is not empty.
    mutating func isEnded(by byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""):
            isQuoted.toggle()
            hasContent = true
        case UInt8(ascii: "\n") where !isQuoted: return hasContent
        case UInt8(ascii: "\r"), 0xEF, 0xBB, 0xBF: break
        default:
            hasContent = true
            if !isQuoted { counts[byte, default: 0] += 1 }
        }
        return false
    }

    /// The most frequent one; a comma when there are as many of it, or none at all.
    var separator: UInt8 {
        let (comma, others) = (UInt8(ascii: ","), [UInt8(ascii: ";"), UInt8(ascii: "\t")])
        return others.reduce(comma) { best, other in counts[other, default: 0] > counts[best, default: 0] ? other : best
        }
    }
}
