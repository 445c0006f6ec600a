import Base
import Testing

@testable import Telemetry

@Suite struct ChunkDamageTests {
    /// The bytes with the checksum that fits them, as only an attacker or a bug would make them.
    private static func sealed(_ content: [UInt8]) -> [UInt8] {
        let checksum = content.withUnsafeBytes { Checksum.of($0) }
        return content + [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: checksum >> $0) }
    }

    private static func minute() throws -> [UInt8] {
        var builder = ChunkBuilder()
        for column in ChunkTests.minute { try builder.add(column) }
        return builder.encoded()
    }

    @Test("a chunk cut at any byte is refused")
    func truncation() throws {
        let bytes = try Self.minute()
        for count in 0..<bytes.count { #expect(throws: ChunkFault.damaged) { try Chunk(Array(bytes[..<count])) } }
    }

    @Test("any flipped bit is found")
    func flips() throws {
        let bytes = try Self.minute()
        for index in bytes.indices {
            for bit in 0..<8 {
                var flipped = bytes
                flipped[index] ^= 1 << bit
                #expect(throws: ChunkFault.damaged) { try Chunk(flipped) }
            }
        }
    }

    @Test("damage behind a fitting checksum gives a fault or other values, never a trap")
    func forged() throws {
        let content = try Self.minute().dropLast(4)
        for index in content.indices {
            for value in [0, 1, 0x7F, 0x80, 0xFF, content[index] ^ 4, content[index] &+ 1] as [UInt8] {
                var forged = Array(content)
                forged[index] = value
                _ = try? Chunk(Self.sealed(forged)).points()
            }
            _ = try? Chunk(Self.sealed(Array(content[..<index]))).points()
        }
        var generator = SeededGenerator(seed: 17)
        for _ in 0..<20_000 {
            var forged = Array(content)
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                forged[Int.random(in: forged.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            _ = try? Chunk(Self.sealed(forged)).points()
        }
    }

    /// The smallest header: one axis of one point, one linear column.
    private static let smallest = "01 01 01  01 00 01 00 00  05 00 00 00 00 00"
    /// Three points five apart, and a delta column without residuals; then a column that may be exchanged.
    private static let pair = "01 01 02  03 00 01 00 0a  05 00 00 01 00 00 00 00 00 00 00  "

    @Test(
        "headers that keep the rules are accepted, so that the next test's break only what they say",
        arguments: [
            smallest, pair + "06 00 00 21 00 00 00 00 00 00 00 00", "01 01 01  03 00 01 01 02 02 00  05 00 00 00 00 00",
            "01 00 00", "02 00 00", "02 " + smallest.dropFirst(3),
        ])
    func goodHeaders(hex: String) throws {
        let content = try #require([UInt8](hex: hex.filter { $0 != " " }))
        _ = try Chunk(Self.sealed(content)).points()
    }

    @Test(
        "headers that break the rules are refused",
        arguments: [
            // Versions; nothing behind the version; more axes or columns than allowed; more axes than columns.
            ("03 01 01  01 00 01 00 00  05 00 00 00 00 00", .unknownVersion), ("00 00 00", .unknownVersion),
            ("01", .malformed), ("01 01", .malformed), ("01 ff ff 03 01", .tooLarge), ("01 00 ff ff 03", .tooLarge),
            ("01 01 00  01 00 01 00 00", .malformed),
            // An axis without points, without a tick, not rising, of unknown kind, with seven levels, with a flag too many.
            ("01 01 01  00 00 01 00 00  05 00 00 00 00 00", .malformed),
            ("01 01 01  01 00 00 00 00  05 00 00 00 00 00", .malformed),
            ("01 01 01  02 00 01 00 00  05 00 00 00 00 00", .malformed),
            ("01 01 01  01 00 01 03 00  05 00 00 00 00 00", .malformed),
            ("01 01 01  01 00 01 1c 00  05 00 00 00 00 00", .malformed),
            ("01 01 01  01 00 01 20 00  05 00 00 00 00 00", .malformed),
            // An axis that ends beyond the last moment, has too many points, or is shorter than its points need.
            ("01 01 01  02 fe ff ff ff ff ff ff ff ff 01 01 00 04  05 00 00 00 00 00", .malformed),
            ("01 01 01  02 00 ff ff ff ff ff ff ff ff 7f 00 04  05 00 00 00 00 00", .malformed),
            ("01 01 01  81 80 40 00 01 00 02  05 00 00 00 00 00", .tooLarge),
            ("01 01 01  03 00 01 01 02 01 00  05 00 00 00 00 00", .malformed),
            // A column on no axis, of unknown kind, with seven levels, with a flag too many.
            ("01 01 01  01 00 01 00 00  05 00 01 00 00 00", .malformed),
            ("01 01 01  01 00 01 00 00  05 00 00 03 00 00", .malformed),
            ("01 01 01  01 00 01 00 00  05 00 00 1c 00 00", .malformed),
            ("01 01 01  01 00 01 00 00  05 00 00 80 01 00 00", .malformed),
            // A linear column of floats.
            ("01 01 01  01 00 01 00 00  05 ff 00 40 00 00", .malformed),
            // A reference of a linear column, to oneself, to a linear column, to a column on other times.
            (pair + "06 00 00 20 00 00 00", .malformed), (pair + "06 00 00 21 01 00 00 00 00 00 00 00", .malformed),
            ("01 01 02  03 00 01 00 0a  05 00 00 00 00 00  06 00 00 21 00 00 00 00 00 00 00 00", .malformed),
            (
                "01 02 02  03 00 01 00 0a  03 00 01 00 0c  05 00 00 01 00 00 00 00 00 00 00  06 00 01 21 00 00 00 00 00 00 00 00",
                .malformed
            ),
            // A chain of four references.
            (
                "01 01 05  03 00 01 00 0a  05 00 00 01 00 00 00 00 00 00 00  06 00 00 21 00 00 00 00 00 00 00 00"
                    + "07 00 00 21 01 00 00 00 00 00 00 00  08 00 00 21 02 00 00 00 00 00 00 00  09 00 00 21 03 00 00 00 00 00 00 00",
                .malformed
            ),
            // The same series twice; a stream longer than the chunk; bytes behind the streams.
            (pair + "05 00 00 00 00 00", .malformed), (pair + "05 ff 00 00 00 00", .malformed),
            ("02 " + pair.dropFirst(3) + "05 00 00 00 00 00", .malformed),
            (pair + "06 00 00 01 00 00 00 00 00 00 05", .malformed),
            (smallest + "ff", .malformed),
            // A series number of 33 bits; a linear column's last value, and a count, beyond 64 bits.
            ("01 01 01  01 00 01 00 00  80 80 80 80 10 00 00 00 00 00", .malformed),
            ("01 01 01  03 00 01 00 02  05 00 00 00 fe ff ff ff ff ff ff ff ff 01 00", .malformed),
            ("01 ff ff ff ff ff ff ff ff ff 7f 01", .malformed),
            // A minimum above the first value, by wrapping around; a sum that never ends.
            ("01 01 01  03 00 01 00 02  05 00 00 01 00 00 00 ff ff ff ff ff ff ff ff ff 01 00 00 00", .malformed),
            (
                "01 01 01  03 00 01 00 02  05 00 00 01 00 00 00 00 00" + String(repeating: "ff", count: 20) + "00",
                .malformed
            ),
        ] as [(String, ChunkFault)])
    func hostileHeaders(hex: String, fault: ChunkFault) throws {
        let content = try #require([UInt8](hex: hex.filter { $0 != " " }))
        #expect(throws: fault) { try Chunk(Self.sealed(content)) }
    }

    @Test("streams that do not lead to the header's last value are refused")
    func wrongStreams() throws {
        // Three points; a delta column whose empty stream can not end at 100.
        let column = try #require([UInt8](hex: "010101" + "030001000a" + "050000010000c80100640000"))
        let chunk = try Chunk(Self.sealed(column))
        #expect(chunk.summaries.first?.last == 100)
        #expect(throws: ChunkFault.malformed) { try chunk.points() }
        // Three times in a stream that is empty, so two steps of one: they can not span nine.
        let axis = try #require([UInt8](hex: "010101" + "03000101020900" + "050000000000"))
        #expect(throws: ChunkFault.malformed) { try Chunk(Self.sealed(axis)).points() }
    }

    @Test("two columns of one series that share a time are refused")
    func sharedTimes() throws {
        let content = try #require([UInt8](hex: "020102" + "0100010000" + "050000000000" + "05ff00000000"))
        let chunk = try Chunk(Self.sealed(content))
        #expect(throws: ChunkFault.malformed) { try chunk.points() }
        #expect(try chunk.points(at: [1]).count == 1)
    }

    @Test("whatever a stream of times says, the times that come out rise")
    func timesRise() throws {
        // Five times in up to 2 + 7 steps, with room in the tree for steps back.
        let header = try #require([UInt8](hex: "010101" + "0500010d020902" + "050000000000"))
        var accepted = 0
        for stream in 0..<UInt16.max where stream % 13 == 0 {
            let content = header + [UInt8(stream >> 8), UInt8(truncatingIfNeeded: stream)]
            guard let times = try? Chunk(Self.sealed(content)).points().first?.times else { continue }
            #expect(times == Array(Set(times)).sorted())
            accepted += 1
        }
        #expect(accepted > 0)
    }

    @Test("a chunk that claims the most it may is decoded within its limits")
    func largest() throws {
        // One linear axis of 2^20 points and four linear columns: four million values in 38 bytes.
        var bytes = try #require([UInt8](hex: "010104" + "8080400001" + "0002"))
        for series in 1...4 as ClosedRange<UInt8> { bytes += [series, 0, 0, 0, 2, 0] }
        let points = try Chunk(Self.sealed(bytes)).points()
        #expect(points.map(\.mantissas.count) == Array(repeating: 1 << 20, count: 4))
        bytes[2] = 5
        bytes += [5, 0, 0, 0, 2, 0]
        #expect(throws: ChunkFault.tooLarge) { try Chunk(Self.sealed(bytes)) }
    }
}
