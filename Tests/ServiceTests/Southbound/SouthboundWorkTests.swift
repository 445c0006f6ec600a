import Base
import Foundation
import Operations
import Testing
import Trust

@testable import Fleet
@testable import Southbound

/// The device protocol over real TLS, a real fleet and real tasks.
@Suite("Devices' work over HTTPS")
struct SouthboundWorkTests {
    private static func isEmpty(_ answer: SouthboundClient.Response) -> Bool {
        answer.body.wholeMatch(of: /\{"pause":\d+\}/) != nil
    }

    @Test("a heartbeat with nothing to do says when to come again", arguments: TestDatabase.engines)
    func empty(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let device = try await WorkDevice(fixture)
            for _ in 0..<3 {
                let answer = try await device.get("/heartbeat")
                #expect(answer.status == 200 && Self.isEmpty(answer), "\(answer.body)")
                #expect(answer.headers["content-type"] == "application/json")
            }
            #expect(fixture.counter("tidegate_device_heartbeats_total") == 3)
            #expect(fixture.counter("tidegate_device_groups_total") == 0, "nothing was written")
            let pause = try #require(try await device.json("/heartbeat")["pause"]?.integer)
            #expect((270...330).contains(pause), "300 seconds and a tenth of jitter")
        }
    }

    @Test("a task goes from its order to success, in the device's words", arguments: TestDatabase.engines)
    func success(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let device = try await WorkDevice(fixture)
            try await device.order(.runDiagnostic, input: ["depth": 2])
            let answer = try await device.json("/heartbeat")
            guard case .array(let tasks)? = answer["tasks"] else { throw Refusal(.invalid, "test", "no tasks") }
            #expect(tasks.count == 1 && tasks[0]["type"] == "runDiagnostic" && tasks[0]["input"] == ["depth": 2])
            #expect(try #require(answer["pause"]?.integer) <= 33, "it calls sooner while there is work")
            let number = try #require(tasks[0]["id"]?.integer)
            #expect(try await device.states() == [.offered])
            #expect(try await device.say("taken", of: number) == 200)
            let running = #"{"state":"running","progress":{"done":3,"of":10},"details":["reading"]}"#
            #expect(try await device.post("/tasks/\(number)/status", running).status == 200)
            #expect(try await device.states() == [.running])
            #expect(try await device.tasks().first?["begun"] == true)
            let end = #"{"state":"succeeded","code":0,"details":["all well"]}"#
            #expect(try await device.post("/tasks/\(number)/status", end).body == "{}")
            #expect(try await device.states() == [.succeeded])
            #expect(Self.isEmpty(try await device.get("/heartbeat")))

            // Repeated, and late with another result.
            #expect(try await device.say("succeeded", of: number) == 200)
            for late in ["failed", "running", "taken", "refused", "cancelled", "continues"] {
                let answer = try await device.post("/tasks/\(number)/status", "{\"state\":\"\(late)\"}")
                #expect(answer.status == 410 && answer.body.contains("task.closed"), "\(late): \(answer.body)")
            }
            #expect(try await device.states() == [.succeeded])
            #expect(fixture.counter(#"tidegate_device_refused_total{code="task.closed"}"#) == 6)
            let task = try await fixture.operations.tasks(
                .device("meter-1"), limit: 1, in: fixture.acme, by: SouthboundFixture.admin
            ).items[0].task
            let history = try await fixture.operations.task(task.id, in: fixture.acme, by: SouthboundFixture.admin)
            #expect(history.history.flatMap(\.details) == ["3 of 10", "reading", "all well"])
        }
    }

    @Test("an install comes with its release and addresses that the device can fetch", arguments: TestDatabase.engines)
    func install(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let device = try await WorkDevice(fixture)
            let release = try await fixture.release([("app v2.swu", "hello")])
            try await device.order(.install, release: release.id)
            let task = try #require(try await device.tasks().first)
            #expect(task["release"]?["version"] == "2.0" && task["release"]?["counter"] == 1)
            guard case .array(let artifacts)? = task["release"]?["artifacts"] else {
                throw Refusal(.invalid, "test", "no artifacts")
            }
            #expect(artifacts[0]["size"] == 5 && artifacts[0]["name"] == "app v2.swu")
            let url = try #require(artifacts[0]["url"]?.string)
            let prefix = "https://localhost/acme/controller/v1/\(device.device.device.id.text)/softwaremodules/"
            #expect(url.hasPrefix(prefix), "\(url)")
            let file = try #require(
                try await device.client.ask("GET", String(url.dropFirst("https://localhost".count))))
            #expect(file.status == 200 && file.body == "hello")
        }
    }

    @Test("a device has one install at a time, and other work beside it", arguments: TestDatabase.engines)
    func oneInstall(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let device = try await WorkDevice(fixture)
            let release = try await fixture.release([("app.swu", "hello")])
            try await device.order(.install, release: release.id)
            let later = try await fixture.release([("later.swu", "world")], version: "3.0")
            let second = try await fixture.operations.order(
                OperationOrder(.install, .devices([.init("meter-1")]), release: later.id), in: fixture.acme,
                by: SouthboundFixture.admin)
            try await fixture.eventually("the second one waits too") {
                try await fixture.operations.operation(
                    second.id, in: fixture.acme, by: SouthboundFixture.admin
                ).operation.counts[.queued] == 1
            }
            try await device.order()
            func types() async throws -> [String] { try await device.tasks().compactMap { $0["type"]?.string } }
            #expect(try await types() == ["install", "reboot"])
            let first = try await device.number()
            #expect(try await device.say("running", of: first) == 200)
            #expect(try await types() == ["install", "reboot"])
            #expect(try await device.say("succeeded", of: first) == 200)
            #expect(try await types() == ["reboot", "install"])
            #expect(try await device.states() == [.offered, .offered, .succeeded])
        }
    }

    @Test("a task is ended when the device agrees, and goes on when it does not", arguments: TestDatabase.engines)
    func cancel(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let device = try await WorkDevice(fixture)
            let operation = try await device.order()
            let number = try await device.number()
            let early = try await device.post("/tasks/\(number)/status", #"{"state":"cancelled"}"#)
            #expect(early.status == 409 && early.body.contains("task.notCancelling"))
            _ = try await fixture.operations.cancel(
                operation, force: false, in: fixture.acme, by: SouthboundFixture.admin)
            #expect(try await device.tasks().first?["cancel"] == true)
            #expect(try await device.say("continues", of: number) == 200)
            #expect(try await device.states() == [.running])
            #expect(try await device.tasks().first?["cancel"] == nil)

            let other = try await device.order(.synchronise)
            #expect(try await device.say("succeeded", of: number) == 200)
            let second = try await device.number()
            _ = try await fixture.operations.cancel(
                other, force: false, in: fixture.acme, by: SouthboundFixture.admin)
            #expect(try await device.say("cancelled", of: second) == 200)
            #expect(try await device.say("cancelled", of: second) == 200, "said twice is said once")
            #expect(try await device.states().first == .cancelled)
        }
    }

    @Test("foreign and unknown tasks look the same, and are noted", arguments: TestDatabase.engines)
    func foreign(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let (first, second) = (try await WorkDevice(fixture), try await WorkDevice(fixture, "meter-2"))
            let rival = try await WorkDevice(fixture, "meter-1", in: "rival")
            try await first.order()
            let number = try await first.number()
            let (unknown, foreign) = (
                try await second.post("/tasks/999999999999999999/status", #"{"state":"succeeded"}"#),
                try await second.post("/tasks/\(number)/status", #"{"state":"succeeded"}"#)
            )
            #expect(unknown.status == 404 && unknown.body == foreign.body && foreign.status == 404)
            #expect(foreign.body.contains("task.unknown"))
            #expect(try await rival.say("succeeded", of: number) == 404)
            #expect(fixture.record.refused.elements.count { $0 == "task.foreign" } == 3)
            #expect(fixture.counter(#"tidegate_device_refused_total{code="task.unknown"}"#) == 3)
            #expect(try await first.states() == [.offered])

            // Another tenant's paths are not there.
            let elsewhere = try #require(try await rival.client.ask("GET", "/acme/heartbeat"))
            #expect(elsewhere.status == 404)
            let keys = try #require(try await rival.client.ask("GET", "/acme/maintenance-keys"))
            #expect(keys.status == 404)
        }
    }

    @Test("what is no status is refused with its code, and nothing changes", arguments: TestDatabase.engines)
    func wrong(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let device = try await WorkDevice(fixture)
            try await device.order()
            let number = try await device.number()
            for body in ["", "x", "[]", "{}", #"{"state":"done"}"#, #"{"state":"failed","details":[1]}"#] {
                let answer = try await device.post("/tasks/\(number)/status", body)
                #expect(answer.status == 400 && answer.body.contains("task.status"), "\(body): \(answer.body)")
            }
            #expect(try await device.states() == [.offered])
            let huge =
                "{\"state\":\"failed\",\"details\":["
                + Array(repeating: "\"\(String(repeating: "y", count: 600))\"", count: 90)
                .joined(separator: ",") + "]}"
            #expect(try await device.post("/tasks/\(number)/status", huge).status == 200)
            let task = try await fixture.operations.tasks(
                .device("meter-1"), limit: 1, in: fixture.acme, by: SouthboundFixture.admin
            ).items[0].task
            let (_, history) = try await fixture.operations.task(
                task.id, in: fixture.acme, by: SouthboundFixture.admin)
            #expect(history.last?.details.count == 50 && history.last?.details.allSatisfy { $0.count == 512 } == true)
            let other = try await device.get("/tasks/\(number)/status")
            #expect(other.status == 405 && other.headers["allow"] == "POST")
            let tooLong = try await device.post(
                "/tasks/\(number)/status", String(repeating: " ", count: Limits.statusBytes + 1))
            #expect(tooLong.status == 413)
        }
    }

    @Test("the streaming channel, strangers and who calls too often get nothing", arguments: TestDatabase.engines)
    func refused(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let (_, stream) = try await fixture.enrolled("meter-2", channel: .stream)
            let streaming = try await SouthboundClient.connect(port: fixture.device, .init(credential: stream))
            for (method, path) in [
                ("GET", "heartbeat"), ("POST", "tasks/11/status"), ("GET", "desired"), ("POST", "reported"),
                ("POST", "events"), ("GET", "maintenance-keys"),
            ] {
                let answer = try #require(
                    try await streaming.ask(method, "/acme/\(path)", body: method == "POST" ? "{}" : nil))
                #expect(answer.status == 403 && answer.body.contains("device.channel"), "\(path)")
                let stranger = try await SouthboundClient.connect(port: fixture.device)
                let none = try #require(try await stranger.ask(method, "/acme/\(path)"))
                #expect(none.status == 401, "\(path)")
            }
            #expect(fixture.record.refused.elements.count { $0 == "device.channel" } == 6)
            #expect(fixture.record.refused.elements.count { $0 == "device.refused" } == 6)

            let device = try await WorkDevice(fixture)
            var limited: SouthboundClient.Response?
            try await fixture.setDeviceRate(1)
            for _ in 0..<200 where limited == nil {
                let answer = try await device.get("/heartbeat")
                if answer.status == 429 { limited = answer }
            }
            let refusal = try #require(limited, "a device that calls all the time is told to wait")
            #expect(refusal.body.contains("device.rate") && refusal.headers["retry-after"] != nil)
        }
    }

    @Test("a token lets in where the model allows it", arguments: TestDatabase.engines)
    func token(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let model = try await fixture.fleet.createModel(
                try #require(Name("simple")), ModelDocument(allowsAccessToken: true), in: fixture.acme,
                by: SouthboundFixture.admin)
            _ = try await fixture.register("token-1") { $0.model = model.name.text }
            let token = try await fixture.fleet.createAccessToken(
                "token-1", in: fixture.acme, by: SouthboundFixture.admin)
            let client = try await SouthboundClient.connect(port: fixture.device)
            for authorization in ["Bearer \(token.text)", "TargetToken \(token.text)", "Bearer \(token.text)"] {
                let answer = try #require(
                    try await client.ask("GET", "/acme/heartbeat", headers: ["Authorization: \(authorization)"]))
                #expect(answer.status == 200, "\(answer.body)")
            }
            let wrong = try #require(
                try await client.ask("GET", "/acme/heartbeat", headers: ["Authorization: Bearer \(token.text)x"]))
            #expect(wrong.status == 401)
        }
    }

    @Test(
        "a device hears that it is wanted to be something else, once it has fetched it no more",
        arguments: TestDatabase.engines)
    func desired(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine) { fixture in
            let device = try await WorkDevice(fixture)
            #expect(try await device.json("/heartbeat")["desired"] == nil)
            for version in 1...2 as ClosedRange<Int64> {
                _ = try await fixture.fleet.setDesired(
                    ["apn": .integer(version)], of: "meter-1", in: fixture.acme, by: SouthboundFixture.admin)
                #expect(try await device.json("/heartbeat")["desired"] == ["version": .integer(version)])
                let document = try await device.json("/desired")
                #expect(document["document"] == ["apn": .integer(version)] && document["signed"]?.string != nil)
                #expect(try await device.json("/heartbeat")["desired"] == nil)
            }
            let told = try await device.post("/reported", #"{"apn":2,"firmware":"1"}"#)
            #expect(told.status == 200 && told.body == "{}")
            let reported = try await fixture.fleet.document(
                .reported, of: "meter-1", in: fixture.acme, by: SouthboundFixture.admin)
            #expect(reported.members == ["apn": 2, "firmware": "1"])
            for wrong in ["", "[]", "{"] {
                let answer = try await device.post("/reported", wrong)
                #expect(answer.status == 400 && answer.body.contains("reported.invalid"))
            }
            let events = try await device.post("/events", #"[{"code":"tamper.opened","ts":1},{"code":"x","ts":2}]"#)
            #expect(events.status == 200 && events.body == "{}")
            let kept = try await fixture.fleet.events(
                of: "meter-1", from: Timestamp(microseconds: 0), to: Timestamp(microseconds: .max), limit: 10,
                in: fixture.acme,
                by: SouthboundFixture.admin)
            #expect(kept.events.map(\.event.code.text) == ["x", "tamper.opened"])
            #expect(try await device.post("/events", #"{"code":""}"#).status == 400)
            let keys = try await device.json("/maintenance-keys")
            #expect(keys == (try await fixture.operations.maintenanceKeys(of: fixture.acme)))
        }
    }
}
