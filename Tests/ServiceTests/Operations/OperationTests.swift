import Access
import Base
import Fleet
import Storage
import Testing

@testable import Operations

@Suite("Operations and their tasks") struct OperationTests {
    @Test("a task goes from its order to its end, and its operation with it", arguments: TestDatabase.engines)
    func whole(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(3)
            let operation = try await world.order()
            #expect(operation.total == 3 && operation.state == .running)
            #expect(try await world.counts(operation.id) == [.queued: 3])
            let task = try world.next(devices[0])
            #expect(task.type == .reboot && task.operation == operation.id && task.state == .queued)
            #expect(try await world.say(.taken, of: task, from: devices[0]) == .kept)
            #expect(try await world.say(.progress, of: task, from: devices[0], details: ["going down"]) == .kept)
            #expect(try world.next(devices[0]).state == .running)
            #expect(try await world.say(.succeeded, of: task, from: devices[0]) == .kept)
            #expect(world.operations.board.next(for: devices[0].id) == nil)
            #expect(try await world.counts(operation.id) == [.queued: 2, .succeeded: 1])
            for device in devices.dropFirst() {
                #expect(try await world.say(.failed, of: try world.next(device), from: device) == .kept)
            }
            let (ended, _) = try await world.operations.operation(
                operation.id, in: world.world.acme, by: OperationsFixture.admin)
            #expect(ended.state == .finished && ended.started != nil && ended.finished != nil)
            #expect(ended.counts == [.succeeded: 1, .failed: 2])
            let (shown, history) = try await world.operations.task(
                task.id, in: world.world.acme, by: OperationsFixture.admin)
            #expect(shown.device == devices[0].name && shown.task.detail == "going down")
            #expect(history.map(\.word) == ["queued", "offered", "running", "succeeded"])
            #expect(try await world.world.audited("operation.") == ["operation.ordered"])
        }
    }

    @Test("the same words again change nothing; other words come too late", arguments: TestDatabase.engines)
    func repeated(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(2)
            let operation = try await world.order()
            let task = try world.next(devices[0])
            for _ in 0..<3 { #expect(try await world.say(.succeeded, of: task, from: devices[0]) == .kept) }
            #expect(try await world.say(.failed, of: task, from: devices[0]) == .late)
            #expect(try await world.say(.progress, of: task, from: devices[0]) == .closed)
            #expect(try await world.counts(operation.id) == [.queued: 1, .succeeded: 1])
            // Nobody speaks of another's task, nor of one that there is not.
            let other = try world.next(devices[1])
            #expect(try await world.say(.succeeded, of: other, from: devices[0]) == .unknown)
            let nobody = PostedTask(
                number: 4711, id: task.id, operation: task.operation, type: .reboot, state: .queued, release: nil)
            #expect(try await world.say(.succeeded, of: nobody, from: devices[0]) == .unknown)
            #expect(try await world.counts(operation.id) == [.queued: 1, .succeeded: 1])
        }
    }

    @Test("what waits, what is offered and what runs survive a restart", arguments: TestDatabase.engines)
    func restart(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(3)
            let operation = try await world.order()
            _ = try await world.say(.progress, of: try world.next(devices[1]), from: devices[1])
            _ = try await world.say(.succeeded, of: try world.next(devices[2]), from: devices[2])
            _ = try await world.operations.setPaused(
                true, operation.id, in: world.world.acme, by: OperationsFixture.admin)
            let again = try await world.restarted()
            #expect(again.operations.board.next(for: devices[0].id) == nil, "it is paused")
            #expect(try again.next(devices[1]).state == .running)
            #expect(again.operations.board.next(for: devices[2].id) == nil)
            _ = try await again.operations.setPaused(
                false, operation.id, in: world.world.acme, by: OperationsFixture.admin)
            #expect(try again.next(devices[0]).state == .queued)
        }
    }

    @Test("deadlines come: nobody called, nobody answered, tried again after a pause", arguments: TestDatabase.engines)
    func deadlines(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(2)
            let terms = OperationTerms(life: 600, timeout: 60, retries: [.timedOut: 1], pause: 30)
            let operation = try await world.order(terms: terms)
            let first = try world.next(devices[0])
            _ = try await world.say(.taken, of: first, from: devices[0])
            world.world.time.advance(by: .seconds(61))
            try await world.operations.turn()
            #expect(try await world.counts(operation.id) == [.waiting: 1, .queued: 1])
            #expect(world.operations.board.next(for: devices[0].id) == nil)
            world.world.time.advance(by: .seconds(30))
            try await world.operations.turn()
            let second = try world.next(devices[0])
            #expect(second.id == first.id && second.number != first.number, "a further attempt has a new number")
            _ = try await world.say(.taken, of: second, from: devices[0])
            #expect(try await world.say(.succeeded, of: first, from: devices[0]) == .kept, "the old one is over")
            #expect(try await world.counts(operation.id) == [.offered: 1, .queued: 1], "and it is at the new one")
            world.world.time.advance(by: .seconds(600))
            try await world.operations.turn()
            #expect(try await world.counts(operation.id) == [.timedOut: 1, .expired: 1])
            #expect(try await world.state(operation.id) == .finished)
            let retried = try await world.operations.retry(
                operation.id, in: world.world.acme, by: OperationsFixture.admin)
            #expect(retried.state == .running && retried.counts == [.waiting: 2])
            try await world.operations.turn()
            // It had done the first attempt all the while: the third is not needed.
            #expect(try await world.say(.failed, of: second, from: devices[0]) == .kept)
            #expect(try await world.counts(operation.id) == [.queued: 2])
            #expect(try await world.say(.succeeded, of: first, from: devices[0]) == .kept)
            #expect(world.operations.board.next(for: devices[0].id) == nil)
            #expect(try await world.say(.succeeded, of: first, from: devices[0]) == .kept, "however often")
            _ = try await world.say(.succeeded, of: try world.next(devices[1]), from: devices[1])
            #expect(try await world.state(operation.id) == .finished)
        }
    }

    @Test("a device that was done and could not say so in time is heard late", arguments: TestDatabase.engines)
    func late(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(1)
            let operation = try await world.order(terms: OperationTerms(life: 600, timeout: 60))
            let task = try world.next(devices[0])
            _ = try await world.say(.progress, of: task, from: devices[0])
            world.world.time.advance(by: .seconds(61))
            try await world.operations.turn()
            #expect(try await world.counts(operation.id) == [.timedOut: 1])
            #expect(try await world.say(.progress, of: task, from: devices[0]) == .closed)
            #expect(try await world.say(.succeeded, of: task, from: devices[0]) == .kept)
            #expect(try await world.say(.succeeded, of: task, from: devices[0]) == .kept)
            #expect(try await world.counts(operation.id) == [.succeeded: 1])
            #expect(try await world.state(operation.id) == .finished)
            #expect(try await world.say(.failed, of: task, from: devices[0]) == .late)
        }
    }

    @Test("a device that has begun is asked before its task ends; force asks nobody", arguments: TestDatabase.engines)
    func cancelled(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(4)
            let operation = try await world.order()
            for device in devices.dropFirst() {
                _ = try await world.say(.progress, of: try world.next(device), from: device)
            }
            let acme = world.world.acme
            let ended = try await world.operations.cancel(
                operation.id, force: false, in: acme, by: OperationsFixture.admin)
            #expect(ended.state == .cancelled && ended.counts == [.cancelled: 1, .cancelling: 3])
            let wished = try world.next(devices[1])
            #expect(wished.state == .cancelling)
            #expect(try await world.say(.cancelled, of: wished, from: devices[1]) == .kept)
            // Too late to end it: it goes on, and ends as it ends.
            let goes = try world.next(devices[2])
            #expect(try await world.say(.goesOn, of: goes, from: devices[2]) == .kept)
            #expect(try await world.say(.succeeded, of: goes, from: devices[2]) == .kept)
            _ = try await world.operations.cancel(
                task: try world.next(devices[3]).id, force: true, in: acme, by: OperationsFixture.admin)
            let (over, _) = try await world.operations.operation(operation.id, in: acme, by: OperationsFixture.admin)
            #expect(over.state == .cancelled && over.finished != nil)
            #expect(over.counts == [.cancelled: 3, .succeeded: 1])
            #expect(try await world.world.audited("operation.") == ["operation.cancelled", "operation.ordered"])
            #expect(try await world.world.audited("task.") == ["task.cancelled"])
        }
    }

    @Test("custom tasks bring what the models of their devices know", arguments: TestDatabase.engines)
    func custom(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let document = try ModelDocument(json: [
                "customTaskSchema": ["properties": ["valve": ["enum": ["open", "shut"]]], "required": ["valve"]]
            ])
            _ = try await world.world.fleet.createModel(
                try #require(Name("valve")), document, in: world.world.acme, by: OperationsFixture.admin)
            _ = try await world.devices(1)
            for name in ["v-1", "v-2"] { _ = try await world.world.register(name) { $0.model = "valve" } }
            func faults(_ input: JSONValue, _ target: OperationTarget = .filter(nil)) async throws -> [String] {
                do {
                    _ = try await world.order(.custom, target, input: input)
                    return []
                } catch let refusal as Refusal {
                    #expect(refusal.code == "operation.invalid")
                    return refusal.faults.map(\.place)
                }
            }
            #expect(try await faults(["valve": "ajar"]) == ["/input/valve"])
            #expect(try await faults([:]) == ["/input"])
            #expect(try await faults(["valve": "open"]) == [])
            #expect(try await faults(["anything": 1], .devices([.init("d-0")])) == [], "no model, no schema")
            let each: [OperationTarget.Named] = [.init("v-1"), .init("v-2", input: ["valve": "wide"])]
            #expect(try await faults(["valve": "open"], .devices(each)) == ["/input/valve"])
            let all = try await world.operations.operations(
                limit: 10, in: world.world.acme, by: OperationsFixture.admin)
            #expect(all.items.count == 2, "nobody gets half of an order")
        }
    }

    @Test("work waits for its start and its windows", arguments: TestDatabase.engines)
    func windows(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(1)
            let start = world.world.time.now + .seconds(3600)
            // The clock shows Friday 2027-01-15, 08:00 UTC.
            let window = try MaintenanceWindow(["days": ["fri"], "from": "22:00", "to": "02:00", "zone": "UTC"])
            _ = try await world.order(terms: OperationTerms(starts: start, windows: [window]))
            #expect(world.operations.board.next(for: devices[0].id) == nil)
            world.world.time.advance(by: .seconds(3600))
            try await world.operations.turn()
            #expect(world.operations.board.next(for: devices[0].id) == nil, "started, but no window is open")
            let again = try await world.restarted()
            #expect(again.operations.board.next(for: devices[0].id) == nil)
            world.world.time.advance(by: .seconds(13 * 3600))
            try await world.operations.turn()
            #expect(world.operations.board.next(for: devices[0].id) != nil)
            world.world.time.advance(by: .seconds(4 * 3600))
            try await world.operations.turn()
            #expect(world.operations.board.next(for: devices[0].id) == nil)
        }
    }

    @Test(
        "what tasks bring is sealed, merged for each device, and shown to nobody when it is a secret",
        arguments: TestDatabase.engines)
    func inputs(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(2)
            let target = OperationTarget.devices([
                .init("d-0", input: ["secret": "zero-zero"]), .init("d-1"),
            ])
            let operation = try await world.order(.changeSecret, target, input: ["user": "root", "secret": "common"])
            let acme = world.world.acme
            #expect(
                try await world.operations.input(of: try world.next(devices[0]), in: acme)
                    == ["user": "root", "secret": "zero-zero"])
            #expect(
                try await world.operations.input(of: try world.next(devices[1]), in: acme)
                    == ["user": "root", "secret": "common"])
            let (_, shown) = try await world.operations.operation(operation.id, in: acme, by: OperationsFixture.admin)
            #expect(shown == nil)
            let stored = try await world.world.database.tenant(acme).read { transaction in
                try transaction.rows("SELECT input FROM operation WHERE tenant = $1").map { try $0.blob(0) }
                    + transaction.rows("SELECT input FROM task WHERE tenant = $1 AND input IS NOT NULL").map {
                        try $0.blob(0)
                    }
            }
            #expect(stored.count == 2)
            for bytes in stored {
                let text = String(decoding: bytes, as: UTF8.self)
                #expect(!text.contains("common") && !text.contains("zero"))
            }
            let harmless = try await world.order(.custom, .filter(nil), input: ["a": 1])
            #expect(
                try await world.operations.operation(harmless.id, in: acme, by: OperationsFixture.admin).input
                    == ["a": 1])
        }
    }

    @Test("a device that is deleted leaves no open task", arguments: TestDatabase.engines)
    func deleted(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(2)
            let operation = try await world.order()
            try await world.world.fleet.delete("d-0", in: world.world.acme, by: OperationsFixture.admin)
            #expect(world.operations.board.next(for: devices[0].id) == nil)
            try await world.operations.turn()
            #expect(try await world.counts(operation.id) == [.queued: 1, .cancelled: 1])
        }
    }

    @Test("numbers of tasks are what every client understands", arguments: TestDatabase.engines)
    func numbers(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            _ = try await world.devices(400)
            let operation = try await world.order()
            let page = try await world.operations.tasks(
                .of(operation.id), limit: 400, in: world.world.acme, by: OperationsFixture.admin)
            let numbers = page.items.map(\.task.number)
            #expect(Set(numbers).count == 400 && numbers.allSatisfy { $0 >= 11 && $0 <= Int64(Int32.max) })
            // A digit and zeros: a stored version of Zephyr's client loses the first digit.
            #expect(!numbers.contains { [20, 30, 100, 200, 300, 400].contains($0) })
        }
    }

    @Test(
        "operations over for longer than they are kept are removed with all of theirs", arguments: TestDatabase.engines)
    func trimmed(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { world in
            let devices = try await world.devices(2)
            let old = try await world.order()
            for device in devices { _ = try await world.say(.succeeded, of: try world.next(device), from: device) }
            world.world.time.advance(by: .seconds((OperationLimits.keptDays + 1) * 86_400))
            let fresh = try await world.order()
            try await world.operations.trim()
            await #expect(throws: Operations.unknown) { try await world.state(old.id) }
            #expect(try await world.counts(fresh.id) == [.queued: 2])
            let rows = try await world.world.database.tenant(world.world.acme).read { transaction in
                try ["task", "task_status", "operation_count"].map { table in
                    try transaction.row("SELECT count(*) FROM \(table) WHERE tenant = $1")?.int(0)
                }
            }
            #expect(rows == [2, 2, 2], "waiting and queued of the fresh one are counted, with no task of the old one")
            try await world.operations.purge(world.world.acme)
            #expect(world.operations.board.devices == 0)
        }
    }
}
