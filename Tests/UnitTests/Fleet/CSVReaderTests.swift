import Base
import Testing

@testable import Fleet

@Suite("The CSV reader")
struct CSVReaderTests {
    private static func read(_ text: [UInt8], step: Int = .max) throws -> [CSVReader.Record] {
        var reader = CSVReader(recordLimit: 64, fieldLimit: 4)
        var records: [CSVReader.Record] = []
        var rest = text[...]
        while !rest.isEmpty {
            try reader.consume(rest.prefix(step)) { records.append($0) }
            rest = rest.dropFirst(step)
        }
        try reader.finish { records.append($0) }
        return records
    }

    @Test(
        "records and fields are cut as RFC 4180 says",
        arguments: [
            ("a,b\nc,d\n", [["a", "b"], ["c", "d"]]),
            ("a,b\r\nc,d", [["a", "b"], ["c", "d"]]),
            ("\u{FEFF}a,b\n", [["a", "b"]]),
            ("\"a,1\",\"b\"\"c\"\n", [["a,1", "b\"c"]]),
            ("\"a\nb\",c\r\n", [["a\nb", "c"]]),
            ("a,,\n", [["a", "", ""]]),
            ("\n\r\na\n\n", [["a"]]),
            ("\"\"\n", [[""]]),
            ("\"a\"\r\n", [["a"]]),
            ("a,\r\n", [["a", ""]]),
            ("", []),
            ("a;b\r\nc,1;d\r\n", [["a", "b"], ["c,1", "d"]]),
            ("\u{FEFF}a;\"b;c\"\n1;2\n", [["a", "b;c"], ["1", "2"]]),
            ("a\tb\n1;2\t3", [["a", "b"], ["1;2", "3"]]),
            ("\n\na;b;c, d\n1;2;3\n", [["a", "b", "c, d"], ["1", "2", "3"]]),
            ("\"a;b;c\",d\n1,2\n", [["a;b;c", "d"], ["1", "2"]]),
            ("a,b;c\n", [["a", "b;c"]]),
            ("a;b", [["a", "b"]]),
        ])
    func records(text: String, expected: [[String]]) throws {
        for step in [1, 2, 3, Int.max] {
            #expect(try Self.read(Array(text.utf8), step: step).map(\.fields) == expected)
        }
    }

    @Test("a record knows the line on which it begins, also after a quoted line end")
    func lines() throws {
        #expect(try Self.read(Array("a\n\"b\nc\"\n\nd\n".utf8)).map(\.line) == [1, 2, 5])
    }

    @Test(
        "text that is not CSV is refused with its line",
        arguments: [
            ("a\nb\"c\n", 2), ("\"a\"b\n", 1), ("a\n\"b\nc", 2), ("a,b,c,d,e\n", 1),
            (String(repeating: "x", count: 65), 1), ("\"" + String(repeating: "\n", count: 70), 1),
        ])
    func wrong(text: String, line: Int) {
        let fault = #expect(throws: CSVReader.Fault.self) { try Self.read(Array(text.utf8)) }
        #expect(fault?.line == line)
    }

    @Test("bytes that are not UTF-8 are refused")
    func encoding() {
        #expect(throws: CSVReader.Fault.self) { try Self.read([0x61, 0xFF, 0x0A]) }
        #expect(throws: CSVReader.Fault.self) { try Self.read([0xEF, 0x61, 0x0A]) }
    }
}
