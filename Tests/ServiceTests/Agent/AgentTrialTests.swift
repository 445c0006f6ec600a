import Base
import Foundation
import NIOPosix
import Testing

@testable import Agent

/// New configurations and new agents on trial, over restarts and changes of the clock.
@Suite("The agent's trials")
struct AgentTrialTests {
    private static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBfjCCASWgAwIBAgIUZK60wua2V5ef1a4oiCMs0NPXo4UwCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjA5NDQwMFoYDzIxMjYxMDI5
        MDk0NDAwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAAQ0kIdFjjIfCKTCGz/BrBGDepza+/Q06RyAVVpSIWC8hZqF7SZHeOV9
        TrrmSoSqH+JhNANM/vmerQx6MP3ty154o1MwUTAdBgNVHQ4EFgQUwC4HoD/t+saT
        7yGZGzUHYU7+re4wHwYDVR0jBBgwFoAUwC4HoD/t+saT7yGZGzUHYU7+re4wDwYD
        VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBG/tT1FK17ilU3aR4ByOpT
        qjlImXyFMAqFGHM/c6yBDgIgNKB8boo2kOnTNKjTYaVvTF2HuP5QyriSYTU8z4nI
        zGY=
        -----END CERTIFICATE-----
        """

    /// An agent that has a configuration on trial, on a device that has run for some seconds.
    private static func agent(
        in directory: String, boot: String = "one", seconds: Int64, wall: Int64 = 0, after: Int64? = nil
    ) throws -> AgentService {
        let program = directory + "/tasks/configure"
        if !FileManager.default.fileExists(atPath: program) {
            try FileManager.default.createDirectory(
                atPath: directory + "/tasks", withIntermediateDirectories: true)
            try Data("#!/bin/sh\ncat >>\(directory)/seen; echo >>\(directory)/seen\n".utf8).write(
                to: URL(filePath: program))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
            try Data(authority.utf8).write(to: URL(filePath: directory + "/ca.pem"))
        }
        let settings = try AgentSettings(
            parsing: """
                server = localhost:1
                tenant = acme
                device = one
                server-ca = \(directory)/ca.pem
                state = \(directory)/state
                tasks = \(directory)/tasks
                trial = 60
                tamper = \(directory)/tamper
                """)
        return try AgentService(
            settings, version: "1", group: MultiThreadedEventLoopGroup.singleton,
            clock: WallClock { Timestamp(microseconds: wall * 1_000_000) },
            boots: BootClock(boot: boot) {
                // Another time once the program has run.
                after.flatMap { FileManager.default.fileExists(atPath: directory + "/seen") ? $0 : nil } ?? seconds
            }, log: AgentLog(isQuiet: true))
    }

    /// The agent after another start of the device; the one before lets go of its state when its last work has ended.
    private static func next(in directory: String, boot: String) async throws -> AgentService {
        for _ in 0..<1000 {
            if let agent = try? agent(in: directory, boot: boot, seconds: 5) { return agent }
            try await Task.sleep(for: .milliseconds(10))
        }
        return try agent(in: directory, boot: boot, seconds: 5)
    }

    private static func put(_ directory: String, starts: Int64 = 0) throws {
        let state = directory + "/state"
        try StateFile.makeDirectory(state)
        var journal = try Journal(state: state)
        try journal.write { contents in
            contents.configuration.good = .init(version: 1, document: ["colour": "blue"])
            contents.configuration.trial = .init(version: 2, document: ["colour": "red"])
            contents.configuration.deadline = 160
            contents.configuration.boot = "one"
            contents.configuration.starts = starts
        }
    }

    private static func seen(_ directory: String) -> [String] {
        let text = (try? String(contentsOf: URL(filePath: directory + "/seen"), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in ["blue", "red"].first { line.contains($0) } }
    }

    @Test(
        "a step of the clock neither ends a trial nor makes it longer",
        arguments: [(159, 9_000_000_000, true), (160, 0, false)])
    func clock(seconds: Int64, wall: Int64, goesOn: Bool) async throws {
        try await TestDatabase.withDirectory { directory in
            try Self.put(directory)
            let agent = try Self.agent(in: directory, seconds: seconds, wall: wall)
            await agent.rollBackIfDue()
            try await agent.pool.shutdownGracefully()
            let state = await agent.journal.contents.configuration
            #expect(Self.seen(directory) == (goesOn ? [] : ["blue"]))
            #expect((state.trial != nil) == goesOn)
        }
    }

    @Test("a device that was started anew has the whole time again, and a few times only")
    func boots() async throws {
        try await TestDatabase.withDirectory { directory in
            try Self.put(directory)
            for boot in 1...3 {
                let agent = try await Self.next(in: directory, boot: "run \(boot)")
                await agent.resumeTrial()
                let state = await agent.journal.contents.configuration
                #expect((state.deadline, state.boot, state.starts) == (65, "run \(boot)", Int64(boot)))
                await agent.rollBackIfDue()
                try await agent.pool.shutdownGracefully()
            }
            #expect(Self.seen(directory) == ["red", "red", "red"])
            let agent = try await Self.next(in: directory, boot: "run 4")
            await agent.resumeTrial()
            try await agent.pool.shutdownGracefully()
            #expect(Self.seen(directory).last == "blue")
            let state = await agent.journal.contents.configuration
            #expect(state.trial == nil && state.untold?["configuration"]?["state"]?.string == "rolledBack")
        }
    }

    @Test("within one run of the device a start of the agent alone gives no more time")
    func starts() async throws {
        try await TestDatabase.withDirectory { directory in
            try Self.put(directory)
            let agent = try Self.agent(in: directory, seconds: 155)
            await agent.resumeTrial()
            try await agent.pool.shutdownGracefully()
            let state = await agent.journal.contents.configuration
            #expect(state.deadline == 160)
        }
    }

    @Test("the time begins when the program has ended, however long that took, also when the agent was ended meanwhile")
    func slowProgram() async throws {
        try await TestDatabase.withDirectory { directory in
            let agent = try Self.agent(in: directory, seconds: 100, after: 900)
            await agent.apply(.init(version: 2, document: ["colour": "red"]), sequence: 1)
            await agent.rollBackIfDue()
            try await agent.pool.shutdownGracefully()
            let state = await agent.journal.contents.configuration
            #expect(state.trial?.version == 2 && state.deadline == 960 && !state.isPuttingIn)
            #expect(Self.seen(directory) == ["red"])
        }
        try await TestDatabase.withDirectory { directory in
            try Self.put(directory)
            var journal = try Journal(state: directory + "/state")
            try journal.write { $0.configuration.isPuttingIn = true }
            #expect(try Journal(state: directory + "/state").contents == journal.contents)
            let agent = try Self.agent(in: directory, seconds: 500, after: 700)
            await agent.resumeTrial()
            await agent.rollBackIfDue()
            try await agent.pool.shutdownGracefully()
            let state = await agent.journal.contents.configuration
            #expect(state.trial?.version == 2 && state.deadline == 760)
        }
    }

    @Test("a desired document is asked for until it is noted")
    func asksAgain() async throws {
        try await TestDatabase.withDirectory { directory in
            let agent = try Self.agent(in: directory, seconds: 100)
            #expect(await !agent.hasAskedForDesired)
            await agent.apply(.init(version: 2, document: ["colour": "red"]), sequence: 1)
            #expect(await agent.hasAskedForDesired)
            try await agent.pool.shutdownGracefully()
        }
        try await TestDatabase.withDirectory { directory in
            let agent = try Self.agent(in: directory, seconds: 100)
            // A journal that takes nothing: where its next state should be is a directory.
            try StateFile.makeDirectory(directory + "/state/journal.json.new")
            await agent.apply(.init(version: 2, document: ["colour": "red"]), sequence: 1)
            #expect(await !agent.hasAskedForDesired)
            #expect(Self.seen(directory).isEmpty)
            try await agent.pool.shutdownGracefully()
        }
    }

    @Test("each opening and closing of the case is an event that waits for the server, over restarts too")
    func tamper() async throws {
        try await TestDatabase.withDirectory { directory in
            let agent = try Self.agent(in: directory, seconds: 1, wall: 7)
            try await agent.watchTamper()
            #expect(await agent.isTamperMissing)
            for text in ["0\n", "1\n", "1\n", "0\n"] {
                try Data(text.utf8).write(to: URL(filePath: directory + "/tamper"))
                try await agent.watchTamper()
            }
            #expect(await !agent.isTamperMissing)
            let events = await agent.journal.contents.events
            #expect(events.map { $0["code"]?.string } == ["tamper.opened", "tamper.closed"])
            #expect(events.allSatisfy { $0["ts"] == 7000 })
            for number in 0..<100 {
                try Data("\(number % 2)".utf8).write(to: URL(filePath: directory + "/tamper"))
                try await agent.watchTamper()
            }
            #expect(await agent.journal.contents.events.count == AgentLimits.events)
            #expect(try Journal(state: directory + "/state").contents == (await agent.journal.contents))
            try await agent.pool.shutdownGracefully()
        }
    }

    @Test("a new agent that failed its trial is remembered for its task, and tried for no other reason again")
    func failedUpdate() async throws {
        try await TestDatabase.withDirectory { directory in
            let update = SelfUpdate(state: directory)
            let digest = String(repeating: "ab", count: 32)
            func bring(for task: Int64) throws {
                let file = directory + "/download"
                try Data("#!/bin/sh\necho tidegate-agent 2\n".utf8).write(to: URL(filePath: file))
                #expect(try update.put(file, sha256: digest, version: "1", task: task) == nil)
            }
            #expect(try update.standing(of: digest, for: 7) == .unknown)
            try bring(for: 7)
            #expect(try update.standing(of: digest, for: 7) == .waits)
            #expect(try update.standing(of: digest, for: 8) == .unknown)
            // Three starts that ended in any way.
            let path = directory + "/agent/record.json"
            let record = try #require(try StateFile.read(path))
            let text = String(decoding: record, as: UTF8.self).replacing("\"starts\":0", with: "\"starts\":3")
            try StateFile.write(Array(text.utf8), to: path)
            try update.handOver(from: "1")
            #expect(try update.standing(of: digest, for: 7) == .failed)
            #expect(!FileManager.default.fileExists(atPath: directory + "/agent/" + digest))
            // It stays so over further starts, and another order of the same is tried anew.
            try update.handOver(from: "1")
            #expect(try update.standing(of: digest, for: 7) == .failed)
            try bring(for: 8)
            #expect(try update.standing(of: digest, for: 8) == .waits)
            // A newer package counts more than what waits.
            try update.handOver(from: "2")
            #expect(try update.standing(of: digest, for: 8) == .failed)
        }
    }

    @Test("when a new agent fails, the one that proved itself before is back, and not the packaged one")
    func fallsBack() async throws {
        try await TestDatabase.withDirectory { directory in
            let update = SelfUpdate(state: directory)
            let (good, bad) = (String(repeating: "ab", count: 32), String(repeating: "cd", count: 32))
            func bring(_ digest: String, for task: Int64) throws {
                let file = directory + "/download"
                try Data("#!/bin/sh\necho tidegate-agent 2\n".utf8).write(to: URL(filePath: file))
                #expect(try update.put(file, sha256: digest, version: "1", task: task) == nil)
            }
            func wearOut() throws {
                let path = directory + "/agent/record.json"
                let record = try #require(try StateFile.read(path))
                let text = String(decoding: record, as: UTF8.self).replacing("\"starts\":0", with: "\"starts\":3")
                try StateFile.write(Array(text.utf8), to: path)
            }
            try bring(good, for: 7)
            try update.confirm()
            #expect(try update.next(from: "1") == good)
            for task in [8, 9] as [Int64] {
                try bring(bad, for: task)
                #expect(try update.next(from: "1") == bad)
                try wearOut()
                #expect(try update.next(from: "1") == good)
                #expect(try update.standing(of: bad, for: task) == .failed)
                #expect(!FileManager.default.fileExists(atPath: directory + "/agent/" + bad))
            }
            // The same once more has nothing to prove.
            try bring(good, for: 10)
            try wearOut()
            #expect(try update.next(from: "1") == good)
            // A newer package counts more, and what failed is still known.
            try bring(bad, for: 11)
            try wearOut()
            #expect(try update.next(from: "2") == nil)
            #expect(try update.standing(of: bad, for: 11) == .failed)
            #expect(try StateFile.names(in: directory + "/agent") == ["record.json"])
        }
    }
}
