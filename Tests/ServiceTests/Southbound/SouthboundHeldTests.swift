import Base
import Fleet
import Operations
import Testing

@testable import Southbound

/// What is not offered can not be taken either, although its number is easily guessed.
@Suite("Work that is held")
struct SouthboundHeldTests {
    private static func paths(_ number: Int64) -> [String] {
        [
            "/deploymentBase/\(number)", "/softwaremodules/\(number)/artifacts",
            "/softwaremodules/\(number)/artifacts/app.swu", "/softwaremodules/\(number)/artifacts/app.swu.MD5SUM",
        ]
    }

    @Test("a paused install is not there for who knows its number", arguments: TestDatabase.engines)
    func paused(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { south in
            let device = try await DDIDevice(south)
            try await device.introduce()
            let operation = try await south.install(try await south.release([("app.swu", "hello")]), on: device)
            let number = try await device.number()
            _ = try await south.operations.setPaused(true, operation, in: south.acme, by: SouthboundFixture.admin)
            #expect(try await device.links().isEmpty)
            for path in Self.paths(number) { #expect(try await device.get(path).status == 404, "\(path)") }
            #expect(try await device.say("proceeding", "none", of: number) == 404)
            #expect(try await device.states() == [.queued])
            #expect(!south.record.refused.elements.contains("task.foreign"), "it is the device's own")

            _ = try await south.operations.setPaused(false, operation, in: south.acme, by: SouthboundFixture.admin)
            for path in Self.paths(number) { #expect(try await device.get(path).status == 200, "\(path)") }
            // What the device has begun goes on, whoever pauses the rest.
            _ = try await south.operations.setPaused(true, operation, in: south.acme, by: SouthboundFixture.admin)
            for path in Self.paths(number) { #expect(try await device.get(path).status == 200, "\(path)") }
            #expect(try await device.say("proceeding", "none", of: number) == 200)
            #expect(try await device.say("closed", "success", of: number) == 200)
        }
    }

    @Test("the files of an install that the device was not asked about are not there", arguments: TestDatabase.engines)
    func unconfirmed(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { south in
            let device = try await DDIDevice(south)
            try await device.introduce()
            var terms = OperationTerms()
            terms.confirm = true
            let operation = try await south.install(
                try await south.release([("app.swu", "hello")]), on: device, terms: terms)
            let number = try #require(south.operations.board.next(for: device.device.device.id)?.number)
            for path in Self.paths(number) { #expect(try await device.get(path).status == 404, "\(path)") }
            #expect(try await device.get("/confirmationBase/\(number)").status == 200)
            let agreed = #"{"confirmation":"confirmed"}"#
            _ = try await south.operations.setPaused(true, operation, in: south.acme, by: SouthboundFixture.admin)
            #expect(try await device.get("/confirmationBase/\(number)").status == 404)
            #expect(try await device.send("POST", "/confirmationBase/\(number)/feedback", agreed).status == 404)
            _ = try await south.operations.setPaused(false, operation, in: south.acme, by: SouthboundFixture.admin)
            #expect(try await device.send("POST", "/confirmationBase/\(number)/feedback", agreed).status == 200)
            for path in Self.paths(number) { #expect(try await device.get(path).status == 200, "\(path)") }
        }
    }

    @Test("while a device has one install, the next one is not to be had", arguments: TestDatabase.engines)
    func oneAtATime(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { south in
            let device = try await DDIDevice(south)
            try await device.introduce()
            try await south.install(try await south.release([("app.swu", "one")]), on: device)
            let first = try await device.number()
            _ = try await device.json("/deploymentBase/\(first)")
            let next = try await south.release([("app.swu", "two")], version: "3.0")
            let operation = try await south.install(next, on: device)
            try await south.eventually("the next one waits") {
                try await south.operations.operation(operation, in: south.acme, by: SouthboundFixture.admin)
                    .operation.counts[.queued] == 1
            }
            let tasks = try await south.operations.tasks(
                .of(operation), limit: 1, in: south.acme, by: SouthboundFixture.admin)
            let second = try #require(tasks.items.first).task.number
            for path in Self.paths(second) { #expect(try await device.get(path).status == 404, "\(path)") }
            #expect(try await device.say("proceeding", "none", of: second) == 404)
            #expect(try await device.say("closed", "success", of: first) == 200)
            for path in Self.paths(second) { #expect(try await device.get(path).status == 200, "\(path)") }
        }
    }

    @Test("our own protocol takes no word of a start that was not given", arguments: TestDatabase.engines)
    func words(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { south in
            let device = try await WorkDevice(south)
            let operation = try await device.order()
            let number = try #require(
                south.operations.board.tasks(for: device.device.device.id, limit: 1).first?.number)
            _ = try await south.operations.setPaused(true, operation, in: south.acme, by: SouthboundFixture.admin)
            #expect(try await device.tasks().isEmpty)
            for word in ["taken", "running"] { #expect(try await device.say(word, of: number) == 404) }
            #expect(try await device.states() == [.queued])
            _ = try await south.operations.setPaused(false, operation, in: south.acme, by: SouthboundFixture.admin)
            #expect(try await device.number() == number)
            #expect(try await device.say("running", of: number) == 200)
        }
    }
}
