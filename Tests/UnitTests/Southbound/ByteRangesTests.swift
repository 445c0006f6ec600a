import Testing

@testable import Southbound

@Suite("Parts of a file that a request wants")
struct ByteRangesTests {
    @Test(
        "a range is what RFC 9110 says, within the file",
        arguments: [
            ("bytes=0-0", [0..<1]), ("bytes=0-99", [0..<100]), ("bytes=5-", [5..<100]), ("bytes=-10", [90..<100]),
            ("bytes=0-1000", [0..<100]), ("bytes=-1000", [0..<100]), ("Bytes = 1-2", [1..<3]),
            ("bytes=0-1,5-6", [0..<2, 5..<7]), ("bytes= 0-1 , 5-6\t", [0..<2, 5..<7]),
            ("bytes=0-1,2-3", [0..<2, 2..<4]),
            ("bytes=0-1,200-300", [0..<2]), ("bytes=0-1,-1", [0..<2, 99..<100]),
            ("bytes=99999999999999999998-99999999999999999999,-1", [99..<100]),
        ] as [(String, [Range<Int64>])])
    func parts(field: String, parts: [Range<Int64>]) {
        #expect(ByteRanges(field, size: 100) == .parts(parts))
    }

    @Test("without a range, or with one in an unknown unit, it is the whole file", arguments: [nil, "lines=1-2", "x="])
    func whole(field: String?) {
        #expect(ByteRanges(field, size: 100) == .whole)
    }

    @Test(
        "what lies outside, is out of order or can not be read is refused",
        arguments: [
            "bytes=100-", "bytes=100-200", "bytes=-0", "bytes=2-1", "bytes=", "bytes=-", "bytes=a-b", "bytes=1",
            "bytes",
            "bytes=0-1,", "bytes=5-6,0-1", "bytes=0-5,3-9", "bytes=0x1-2", "bytes=+1-2", "bytes=1-2-3", "bytes=١-٢",
            "bytes=" + Array(repeating: "0-0", count: 65).joined(separator: ","),
        ])
    func unsatisfiable(field: String) {
        #expect(ByteRanges(field, size: 100) == .unsatisfiable)
    }

    @Test("of an empty file there is no part")
    func empty() {
        for field in ["bytes=0-", "bytes=-1", "bytes=0-0"] { #expect(ByteRanges(field, size: 0) == .unsatisfiable) }
    }

    @Test("every part lies within the file, whatever is asked")
    func bounded() {
        let numbers = ["", "0", "1", "7", "99", "100", "101", "9223372036854775807", "99999999999999999999"]
        for first in numbers {
            for last in numbers {
                guard case .parts(let parts) = ByteRanges("bytes=\(first)-\(last)", size: 100) else { continue }
                #expect(parts.allSatisfy { !$0.isEmpty && $0.lowerBound >= 0 && $0.upperBound <= 100 })
            }
        }
    }
}

@Suite("How far a download has gone out")
struct ContentCursorTests {
    @Test("pieces follow each other, read in steps of a bounded size")
    func steps() {
        var cursor = ContentCursor([.bytes([1, 2]), .blob(10..<25), .bytes([3])])
        func advance(_ count: Int) -> Bool { cursor.advance(by: count) }
        #expect(cursor.next(most: 10) == .bytes([1, 2]))
        #expect(advance(2))
        #expect(cursor.next(most: 10) == .read(at: 10, count: 10))
        #expect(advance(10))
        #expect(cursor.next(most: 10) == .read(at: 20, count: 5))
        // The disk may give less than was wanted.
        #expect(advance(2))
        #expect(cursor.next(most: 10) == .read(at: 22, count: 3))
        #expect(advance(3))
        #expect(cursor.next(most: 10) == .bytes([3]))
        #expect(advance(1))
        #expect(cursor.next(most: 10) == nil)
        #expect(!advance(1))
    }
}
