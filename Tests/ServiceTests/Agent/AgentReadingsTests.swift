import Base
import Foundation
import Testing

@testable import Agent

/// Readings that wait on the device: what a broken disk costs, and what is sent once more.
@Suite("The agent's readings")
struct AgentReadingsTests {
    private static func reading(_ time: Int64, _ series: String = "power") -> JSONValue {
        ["ts": .integer(time), "values": .object([series: .integer(time)])]
    }

    private static func all(_ keeper: inout ReadingKeeper) -> [Int64] {
        var times: [Int64] = []
        while let part = keeper.oldest() {
            times += part.readings.compactMap { $0["ts"]?.integer }
            keeper.erase(part)
        }
        return times
    }

    private static func bringBack(
        _ keeper: inout ReadingKeeper, _ range: ClosedRange<Int64>, _ series: Set<String> = []
    ) throws -> Int {
        try keeper.bringBack(range, series: series)
    }

    @Test("a disk that takes nothing costs no reading as long as the memory has room, and not the agent")
    func broken() async throws {
        try await TestDatabase.withDirectory { directory in
            // Where the directory of the buffer should be is a file.
            try Data().write(to: URL(filePath: directory + "/buffer"))
            var keeper = ReadingKeeper(state: directory, room: 1 << 20)
            #expect(keeper.fault != nil)
            for time in 0..<100 { keeper.append([Self.reading(Int64(time))]) }
            #expect(keeper.bytes > 0 && keeper.lost == 0)
            #expect(Self.all(&keeper) == Array(0..<100))
            #expect(Self.all(&keeper) == [])
            #expect(keeper.bytes == 0)
        }
    }

    @Test("memory keeps to its room: the oldest go and are counted, also while some are on their way")
    func memory() async throws {
        try await TestDatabase.withDirectory { directory in
            try Data().write(to: URL(filePath: directory + "/buffer"))
            var keeper = ReadingKeeper(state: directory, room: 1 << 20)
            let filler = String(repeating: "x", count: 4000)
            func large(_ time: Int) -> JSONValue { ["ts": .integer(Int64(time)), "values": ["a": .string(filler)]] }
            keeper.append((0..<10).map(large))
            let oldest = keeper.oldest()
            let part = try #require(oldest)
            keeper.append((10..<1000).map(large))
            #expect(keeper.bytes <= Int64(AgentLimits.memoryBytes) && keeper.lost > 0)
            let lost = keeper.lost
            keeper.erase(part)
            #expect(Self.all(&keeper) == Array(lost..<1000))
            // One that is too large is no fault of the disk.
            keeper.append([["ts": 1, "values": ["a": .string(String(repeating: "x", count: 20_000))]]])
            #expect(Self.all(&keeper) == [])
            #expect(keeper.lost == lost + 1)
        }
    }

    @Test("what could be read no more holds nothing up, and half a record is taken away")
    func unreadable() async throws {
        try await TestDatabase.withDirectory { directory in
            var buffer = try ReadingBuffer(state: directory, room: 4 << 20)
            for time in 0..<3000 { try buffer.append(Self.reading(Int64(time))) }
            let names = try StateFile.names(in: directory + "/buffer")
            #expect(names.count > 1)
            let first = "\(directory)/buffer/\(names[0])"
            try FileManager.default.removeItem(atPath: first)
            try FileManager.default.createDirectory(atPath: first, withIntermediateDirectories: false)
            var keeper = ReadingKeeper(state: directory, room: 4 << 20)
            let times = Self.all(&keeper)
            #expect(times.last == 2999 && times.count < 3000 && keeper.lost == 1)
        }
    }

    @Test("what the server has stays for a while where that is wanted, and comes back for its time and series")
    func history() async throws {
        try await TestDatabase.withDirectory { directory in
            var keeper = ReadingKeeper(state: directory, room: 4 << 20, kept: 3600)
            keeper.append((0..<10).map { Self.reading($0) })
            #expect(Self.all(&keeper) == Array(0..<10))
            keeper.append((10..<20).map { Self.reading($0, "water") })
            #expect(Self.all(&keeper) == Array(10..<20))
            for name in try StateFile.names(in: directory + "/sent") {
                let bytes = try StateFile.read("\(directory)/sent/\(name)") ?? []
                #expect(!String(decoding: bytes, as: UTF8.self).contains("power"))
            }
            #expect(try Self.bringBack(&keeper, 3...5, ["water"]) == 0)
            #expect(try Self.bringBack(&keeper, 3...5) == 10)
            keeper.append([Self.reading(99)])
            #expect(Self.all(&keeper) == Array(0..<10) + [99])
            #expect(try Self.bringBack(&keeper, 0...Int64.max, ["water"]) == 10)
            #expect(Self.all(&keeper) == Array(10..<20))
            // Nothing is kept beyond the room for all, and what waits goes last.
            var small = ReadingKeeper(state: directory, room: 3000, kept: 3600)
            small.append((100..<120).map { Self.reading($0) })
            #expect(small.bytes <= 3000 && small.lost == 0)
        }
    }

    /// What a server takes that refuses all for one fault, and how many readings are given up by that.
    private static func deliver(_ values: [Int64], bad: Set<Int64>) -> (taken: [Int64], lost: Int, asked: Int) {
        var pieces = ReadingPieces(values.map { .integer($0) })
        var (taken, lost, asked): ([Int64], Int, Int) = ([], 0, 0)
        while let piece = pieces.next {
            asked += 1
            let values = piece.compactMap(\.integer)
            if bad.isDisjoint(with: values) {
                taken += values
                pieces.taken()
            } else {
                lost += pieces.refused()
            }
        }
        return (taken, lost, asked)
    }

    @Test(
        "a reading that the server will never take costs that one alone, and the order stays",
        arguments: [[], [0], [999], [500], [3, 4, 700], [1, 998]] as [Set<Int64>])
    func poisoned(bad: Set<Int64>) {
        let all = Array(Int64(0)..<1000)
        let result = Self.deliver(all, bad: bad)
        #expect(result.taken == all.filter { !bad.contains($0) })
        #expect(result.lost == bad.count)
        #expect(result.asked < 80)
    }

    @Test("a server that refuses everything is not asked for each reading")
    func allPoisoned() {
        let all = Array(Int64(0)..<10_000)
        let result = Self.deliver(all, bad: Set(all))
        #expect(result.taken.isEmpty && result.lost == 10_000)
        #expect(result.asked < 2 * AgentLimits.refusalsOfPart)
        #expect(Self.deliver([], bad: []).asked == 0)
    }

    @Test("what the server refused for good counts as lost")
    func refused() async throws {
        try await TestDatabase.withDirectory { directory in
            var keeper = ReadingKeeper(state: directory, room: 1 << 20)
            keeper.append((0..<3).map { Self.reading($0) })
            let oldest = keeper.oldest()
            keeper.erase(try #require(oldest), lost: 1)
            #expect(keeper.lost == 1 && keeper.oldest() == nil)
        }
    }

    @Test("what was kept for long enough goes")
    func forgotten() async throws {
        try await TestDatabase.withDirectory { directory in
            var keeper = ReadingKeeper(state: directory, room: 1 << 20, kept: 60)
            keeper.append([Self.reading(1)])
            _ = Self.all(&keeper)
            let name = try #require(try StateFile.names(in: directory + "/sent").first)
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -120)], ofItemAtPath: "\(directory)/sent/\(name)")
            keeper.append([Self.reading(2)])
            _ = Self.all(&keeper)
            #expect(try Self.bringBack(&keeper, 0...9) == 1)
        }
    }
}
