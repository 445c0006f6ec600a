import Base
import Foundation
import Glibc
import Testing

@testable import Agent

/// What the agent keeps on disk, and the programs it runs.
@Suite("The agent's state and programs")
struct AgentStateTests {
    private static func program(_ text: String, in directory: String, mode: Int = 0o755) throws -> String {
        let path = directory + "/program"
        try Data("#!/bin/sh\n\(text)\n".utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    private static func run(
        _ text: String, timeout: Int64 = 20, input: ProgramInput = .bytes([]), request: EndRequest = EndRequest()
    ) async throws -> (end: TaskProgram.End, lines: [String]) {
        try await TestDatabase.withDirectory { directory in
            var lines: [String] = []
            var program = TaskProgram(try program(text, in: directory), timeout: timeout)
            program.input = input
            program.environment = ["TIDEGATE_TASK_ID": "11"]
            let end = try program.run(until: request) { lines.append($0) }
            return (end, lines)
        }
    }

    @Test("a program gets its input and its environment, and says lines and a code")
    func program() async throws {
        let input = ProgramInput.bytes(Array(String(repeating: "x", count: 300_000).utf8))
        let (end, lines) = try await Self.run(
            "wc -c; echo $TIDEGATE_TASK_ID; echo bad >&2; printf last; exit 3", input: input)
        #expect(end == .exited(3))
        #expect(lines == ["300000", "11", "bad", "last"])
    }

    @Test("a program gets none of the agent's own sockets")
    func inherited() async throws {
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        // A number that the program's shell takes for nothing of its own.
        let socket = fcntl(made, F_DUPFD, 500)
        defer { for descriptor in [made, socket] { close(descriptor) } }
        #expect(socket >= 500)
        #expect(try await Self.run("[ ! -e /proc/$$/fd/\(socket) ]").end == .exited(0))
    }

    @Test("one that reads nothing, closes its output or says too much at once is no trouble")
    func unruly() async throws {
        let input = ProgramInput.bytes(Array(String(repeating: "x", count: 300_000).utf8))
        #expect(try await Self.run("exec <&-; exit 0", input: input).end == .exited(0))
        #expect(try await Self.run("exec >&- 2>&-; sleep 0.2; exit 4").end == .exited(4))
        let (end, lines) = try await Self.run("head -c 1000000 /dev/zero | tr '\\0' y; echo; echo end")
        #expect(end == .exited(0))
        #expect(lines.map(\.utf8.count) == [AgentLimits.lineBytes, 3])
    }

    @Test("a file is brought whole, and only after the program has said that it is ready for it")
    func file() async throws {
        try await TestDatabase.withDirectory { directory in
            let path = directory + "/input"
            try Data(String(repeating: "x", count: 300_000).utf8).write(to: URL(filePath: path))
            let patient = "timeout 0.5 head -c 1 || echo nothing yet; echo now ready; wc -c"
            let (end, lines) = try await Self.run(patient, input: .file(path, after: "ready"))
            #expect(end == .exited(0))
            #expect(lines == ["nothing yet", "now ready", "300000"])
            await #expect(throws: FileFailure.self) {
                try await Self.run("cat", input: .file(directory + "/absent", after: "ready"))
            }
        }
    }

    @Test("one that takes too long, or that somebody wants ended, is ended with what it started")
    func ended() async throws {
        #expect(try await Self.run("sleep 60 & sleep 60", timeout: 1).end == .timedOut)
        let request = EndRequest()
        request.ask()
        #expect(try await Self.run("sleep 60", request: request).end == .cancelled)
        #expect(try await Self.run("kill -9 $$").end == .killed(9))
    }

    @Test("a program that others can change, or that is none, is not run")
    func objections() async throws {
        try await TestDatabase.withDirectory { directory in
            #expect(TaskProgram(directory + "/absent", timeout: 1).objection != nil)
            #expect(TaskProgram(directory, timeout: 1).objection != nil)
            let path = try Self.program("exit 0", in: directory)
            #expect(TaskProgram(path, timeout: 1).objection == nil)
            for mode in [0o775, 0o757, 0o644] {
                _ = try Self.program("exit 0", in: directory, mode: mode)
                #expect(TaskProgram(path, timeout: 1).objection != nil)
            }
        }
    }

    @Test("the journal is whole after a restart, and a damaged one is not taken for an empty one")
    func journal() async throws {
        try await TestDatabase.withDirectory { directory in
            var journal = try Journal(state: directory)
            try journal.write { contents in
                contents.taskSequence = 7
                contents.refusals["forged"] = 2
                contents.installed["system"] = 3
                contents.isOpened = true
                contents.configuration.good = .init(version: 4, document: ["a": [1, 2]])
                contents.configuration.trial = .init(version: 5, document: [:])
                contents.configuration.deadline = 99
            }
            #expect(try Journal(state: directory).contents == journal.contents)
            try Data("{".utf8).write(to: URL(filePath: directory + "/journal.json"))
            #expect(throws: FileFailure.self) { try Journal(state: directory) }
        }
    }

    // MARK: - Readings

    private static func all(_ buffer: inout ReadingBuffer) throws -> [JSONValue] {
        var found: [JSONValue] = []
        while let part = try buffer.oldest() {
            found += part.readings
            try buffer.erase(part)
        }
        return found
    }

    @Test("readings come back in their order after a restart, are sealed on disk, and go when they are erased")
    func readings() async throws {
        try await TestDatabase.withDirectory { directory in
            var buffer = try ReadingBuffer(state: directory, room: 1 << 20)
            for number in 0..<1500 { try buffer.append(["secretName": .integer(Int64(number))]) }
            buffer = try ReadingBuffer(state: directory, room: 1 << 20)
            try buffer.append(["secretName": 1500])
            for name in try StateFile.names(in: directory + "/buffer") {
                let bytes = try StateFile.read("\(directory)/buffer/\(name)") ?? []
                #expect(!String(decoding: bytes, as: UTF8.self).contains("secretName"))
            }
            let found = try Self.all(&buffer)
            #expect(found == (0...1500).map { ["secretName": .integer(Int64($0))] })
            #expect(buffer.bytes == 0 && buffer.lost == 0)
            #expect(try StateFile.names(in: directory + "/buffer").isEmpty)
        }
    }

    @Test("what a power cut left half written costs that record alone")
    func torn() async throws {
        try await TestDatabase.withDirectory { directory in
            var buffer = try ReadingBuffer(state: directory, room: 1 << 20)
            for number in 0..<3 { try buffer.append(["n": .integer(Int64(number))]) }
            let name = try #require(try StateFile.names(in: directory + "/buffer").first)
            let path = "\(directory)/buffer/\(name)"
            let bytes = try #require(try StateFile.read(path))
            try StateFile.write(bytes.dropLast(5), to: path)
            buffer = try ReadingBuffer(state: directory, room: 1 << 20)
            try buffer.append(["n": 3])
            #expect(try Self.all(&buffer) == [["n": 0], ["n": 1], ["n": 3]])
        }
    }

    @Test("a damaged byte costs the record that it is in, and is counted", arguments: [0, 3, 4, 20, 60, 200, 500])
    func flipped(place: Int) async throws {
        try await TestDatabase.withDirectory { directory in
            var buffer = try ReadingBuffer(state: directory, room: 1 << 20)
            for number in 0..<20 { try buffer.append(["n": .integer(Int64(number))]) }
            let name = try #require(try StateFile.names(in: directory + "/buffer").first)
            let path = "\(directory)/buffer/\(name)"
            var bytes = try #require(try StateFile.read(path))
            bytes[place] ^= 0x10
            try StateFile.write(bytes, to: path)
            buffer = try ReadingBuffer(state: directory, room: 1 << 20)
            let found = try Self.all(&buffer)
            #expect(found.count == 19 && found.last == ["n": 19])
            #expect(buffer.lost == 1 && buffer.bytes == 0)
        }
    }

    @Test("without the right secret nothing is erased: parts are set aside and counted")
    func wrongSecret() async throws {
        try await TestDatabase.withDirectory { directory in
            var buffer = try ReadingBuffer(state: directory, room: 1 << 20)
            for number in 0..<20 { try buffer.append(["n": .integer(Int64(number))]) }
            try StateFile.write([UInt8](repeating: 7, count: 31), to: directory + "/secret")
            #expect(throws: FileFailure.self) { try ReadingBuffer(state: directory, room: 1 << 20) }
            try StateFile.write([UInt8](repeating: 7, count: 32), to: directory + "/secret")
            buffer = try ReadingBuffer(state: directory, room: 1 << 20)
            try buffer.append(["n": 20])
            #expect(try Self.all(&buffer) == [["n": 20]])
            #expect(buffer.lost == 20 && buffer.bytes == 0)
            let left = try StateFile.names(in: directory + "/buffer")
            #expect(left.count == 1 && left.allSatisfy { $0.hasSuffix(".bad") })
        }
    }

    @Test("the buffer keeps to its room: the oldest goes, and is counted")
    func room() async throws {
        try await TestDatabase.withDirectory { directory in
            var buffer = try ReadingBuffer(state: directory, room: 200_000)
            for number in 0..<10_000 { try buffer.append(["n": .integer(Int64(number))]) }
            #expect(buffer.bytes <= 200_000)
            let lost = buffer.lost
            let found = try Self.all(&buffer)
            #expect(lost + Int64(found.count) == 10_000)
            #expect(found.last == ["n": 9999])
            #expect(found == (lost..<10_000).map { ["n": .integer($0)] })
        }
    }

    @Test("the machine's measures are found, and odd files below /proc are no trouble")
    func metrics() async throws {
        var host = HostMetrics()
        _ = host.measure()
        let values = host.measure()
        #expect(values["host.memory.used"]?.integer ?? 0 > 0)
        #expect(values["host.disk.size"]?.integer ?? 0 > 0)
        try await TestDatabase.withDirectory { directory in
            for (name, text) in [
                ("stat", "cpu  -1 x"), ("meminfo", "MemTotal: 99999999999999999999 kB"), ("loadavg", ""),
            ] {
                try Data(text.utf8).write(to: URL(filePath: "\(directory)/\(name)"))
            }
            var odd = HostMetrics(root: directory)
            #expect(odd.measure()["host.memory.used"] == nil)
        }
    }
}
