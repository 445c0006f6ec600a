import Base
import MQTT
import NIOCore
import Operations
import Testing

@testable import Fleet
@testable import Southbound

/// A device that hears of its tasks over MQTT.
private struct TaskDevice {
    let south: SouthboundFixture
    let name: String
    let device: RegisteredDevice
    let credential: SouthboundFixture.Credential

    init(_ south: SouthboundFixture, _ name: String = "gw-1") async throws {
        (self.south, self.name) = (south, name)
        (device, credential) = try await south.enrolled(name)
    }

    func connect(_ version: ProtocolVersion = .v5, kept: Bool = false) async throws -> SouthboundMQTTClient {
        try await SouthboundMQTTClient.connect(south, credential, version) { $0.cleanStart = !kept }
    }

    /// Orders something; the operation is what the order made.
    @discardableResult
    func order(
        _ type: TaskType = .reboot, input: JSONValue = [:], release: ReleaseID? = nil,
        terms: OperationTerms = OperationTerms()
    ) async throws -> OperationID {
        try await south.operations.order(
            OperationOrder(type, .devices([.init(name)]), release: release, input: input, terms: terms),
            in: south.acme, by: SouthboundFixture.admin
        ).id
    }

    /// How its tasks stand, the newest first.
    func states() async throws -> [TaskState] { try await tasks().map(\.state) }

    func tasks() async throws -> [DeviceTask] {
        try await south.operations.tasks(
            .device(name), limit: 50, in: south.acme, by: SouthboundFixture.admin
        ).items.map(\.task)
    }

    func history() async throws -> [TaskStatus] {
        try await south.operations.task(try await tasks()[0].id, in: south.acme, by: SouthboundFixture.admin).history
    }
}

extension SouthboundMQTTClient {
    /// The next task that it is told of.
    fileprivate func task() async throws -> JSONValue {
        let told = try await told() ?? "nothing"
        #expect(told.hasPrefix("tasks "), "\(told)")
        return try JSONValue(parsing: Array(told.dropFirst("tasks ".count).utf8))
    }

    /// The number of the next task that it is told of.
    fileprivate func number() async throws -> Int64 { try #require(try await task()["id"]?.integer) }

    /// Says how a task stands.
    fileprivate func say(_ state: String, of number: Int64) async throws -> (reason: ReasonCode, text: String?)? {
        try await publish("tasks/\(number)/status", "{\"state\":\"\(state)\"}")
    }
}

/// Tasks over real MQTT, a real fleet and real tasks.
@Suite("Devices' tasks over MQTT", .timeLimit(.minutes(5)))
struct SouthboundTaskTests {
    private static func refused(_ code: String, _ south: SouthboundFixture) -> Int {
        south.counter("tidegate_mqtt_words_refused_total{code=\"\(code)\"}")
    }

    @Test(
        "a task goes from its order to success, told when it is ordered and signed", arguments: TestDatabase.engines,
        [ProtocolVersion.v311, .v5])
    func success(engine: TestDatabase.Engine, version: ProtocolVersion) async throws {
        try await SouthboundFixture.with(engine, speaksMQTT: true) { south in
            let device = try await TaskDevice(south)
            let client = try await device.connect(version)
            #expect(try await client.subscribe("tasks") == [.grantedQoS1])
            #expect(try await client.hearsNothing())
            try await device.order(.runDiagnostic, input: ["depth": 2])
            let task = try await client.task()
            #expect(task["type"] == "runDiagnostic" && task["input"] == ["depth": 2])
            #expect(task["signed"]?.string?.split(separator: ".").count == 3 && task["expires"]?.string != nil)
            let number = try #require(task["id"]?.integer)
            #expect(try await device.states() == [.offered])
            let running = #"{"state":"running","progress":{"done":3,"of":10},"details":["reading"]}"#
            #expect(try await client.publish("tasks/\(number)/status", running)?.reason == .success)
            #expect(try await device.states() == [.running], "acknowledged is on disk")
            #expect(try await client.hearsNothing(), "it is told once")
            // Asking again tells again what is open, with what the device has said of it.
            #expect(try await client.subscribe("tasks") == [.grantedQoS1])
            let again = try await client.task()
            #expect(again["id"] == task["id"] && again["begun"] == true)
            let end = #"{"state":"succeeded","code":0,"details":["all well"]}"#
            #expect(try await client.publish("tasks/\(number)/status", end)?.reason == .success)
            #expect(try await device.states() == [.succeeded])
            #expect(try await client.say("succeeded", of: number)?.reason == .success, "said twice is said once")
            #expect(try await device.history().flatMap(\.details) == ["3 of 10", "reading", "all well"])

            let late = try #require(try await client.say("failed", of: number))
            #expect(late.reason == (version == .v5 ? .implementationSpecificError : .success))
            #expect(version == .v311 || late.text?.contains("over") == true)
            #expect(try await device.states() == [.succeeded])
            #expect(Self.refused("task.closed", south) == 1)
            #expect(south.counter("tidegate_mqtt_tasks_total") == 2)
            #expect(south.counter("tidegate_mqtt_words_total") == 4)
            #expect(try await client.subscribe("tasks") == [.grantedQoS1])
            #expect(try await client.hearsNothing())
            await client.client.close()
        }
    }

    @Test("words in a burst are kept in their order, with QoS 0 too", arguments: TestDatabase.engines)
    func burst(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine, speaksMQTT: true) { south in
            let device = try await TaskDevice(south)
            let client = try await device.connect()
            _ = try await client.subscribe("tasks")
            try await device.order()
            let number = try await client.number()
            let count = 30
            try client.send(
                try (1...count).flatMap { done -> [Packet] in
                    let body = "{\"state\":\"running\",\"progress\":{\"done\":\(done),\"of\":\(count)}}"
                    return [
                        .publish(
                            try client.message(
                                "tasks/\(number)/status", body, qos: done.isMultiple(of: 2) ? .atLeastOnce : .atMostOnce
                            )),
                        .publish(try client.message("telemetry", #"{"power":1}"#, qos: .atMostOnce)),
                    ]
                })
            try client.send(.publish(try client.message("tasks/\(number)/status", #"{"state":"succeeded"}"#)))
            for _ in 0...count / 2 {
                guard case .puback(let ack)? = try await client.next("PUBACK") else { break }
                #expect(ack.reason == .success)
            }
            try await south.eventually("the last word is kept") {
                south.counter("tidegate_mqtt_words_total") == count + 1
                    && !south.operations.board.hasWork(for: device.device.device.id)
            }
            #expect(try await device.states() == [.succeeded])
            #expect(try await device.history().flatMap(\.details) == (1...count).map { "\($0) of \(count)" })
            await client.client.close()
        }
    }

    @Test("a device that was away hears of what was ordered meanwhile, and of nothing twice")
    func away() async throws {
        try await SouthboundFixture.with(speaksMQTT: true) { south in
            let device = try await TaskDevice(south)
            var client = try await device.connect(.v311, kept: true)
            _ = try await client.subscribe("tasks")
            try await device.order()
            let first = try await client.number()
            try await client.disconnect()
            try await device.order(.synchronise)
            client = try await device.connect(.v311, kept: true)
            #expect(client.sessionPresent)
            let second = try await client.number()
            #expect(second != first)
            #expect(try await client.hearsNothing())
            try await client.disconnect()
            // A clean start knows nothing: it is told of both when it asks, the older one first.
            client = try await device.connect(.v311)
            #expect(try await client.hearsNothing())
            _ = try await client.subscribe("tasks", qos: .atMostOnce)
            #expect(try await [client.number(), client.number()] == [first, second])
            await client.client.close()
        }
    }

    @Test("a device has eight tasks at once, and the next when one is over", arguments: TestDatabase.engines)
    func many(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine, speaksMQTT: true) { south in
            let device = try await TaskDevice(south)
            for _ in 0..<12 { try await device.order(.synchronise) }
            try await south.eventually("all are queued") {
                south.operations.board.tasks(for: device.device.device.id, limit: 100).count == 12
            }
            let client = try await device.connect()
            _ = try await client.subscribe("tasks")
            var numbers: [Int64] = []
            for _ in 0..<8 { numbers.append(try await client.number()) }
            #expect(try await client.hearsNothing())
            for count in 1...12 {
                #expect(try await client.say("succeeded", of: numbers[count - 1])?.reason == .success)
                if count <= 4 { numbers.append(try await client.number()) }
            }
            #expect(try await client.hearsNothing())
            #expect(Set(numbers).count == 12)
            #expect(try await device.states() == Array(repeating: .succeeded, count: 12))
            // One that somebody ends by force leaves its place as well.
            for _ in 0..<8 { try await device.order(.synchronise) }
            let last = try await device.order(.reboot)
            _ = last
            for _ in 0..<8 { _ = try await client.number() }
            let open = try await device.tasks().filter { $0.state == .offered }
            _ = try await south.operations.cancel(
                open[0].operation, force: true, in: south.acme, by: SouthboundFixture.admin)
            #expect(try await client.task()["type"] != nil)
            await client.client.close()
        }
    }

    @Test("a device is told that a task is to be ended, as often as somebody wants it", arguments: TestDatabase.engines)
    func cancel(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine, speaksMQTT: true) { south in
            let device = try await TaskDevice(south)
            let client = try await device.connect()
            _ = try await client.subscribe("tasks")
            let operation = try await device.order()
            let number = try await client.number()
            let early = try #require(try await client.say("cancelled", of: number))
            #expect(early.reason == .implementationSpecificError && early.text?.contains("Nobody") == true)
            #expect(Self.refused("task.notCancelling", south) == 1)
            let other = try await device.order(.synchronise)
            let second = try await client.number()
            for operation in [operation, other] {
                _ = try await south.operations.cancel(
                    operation, force: false, in: south.acme, by: SouthboundFixture.admin)
                #expect(try await client.task()["cancel"] == true)
            }
            #expect(try await client.say("continues", of: number)?.reason == .success)
            #expect(try await client.say("cancelled", of: second)?.reason == .success)
            #expect(try await device.states() == [.cancelled, .running])
            #expect(try await client.hearsNothing())
            await client.client.close()
        }
    }

    @Test("an install comes with its release and a path on the device listener", arguments: TestDatabase.engines)
    func install(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine, speaksMQTT: true) { south in
            let device = try await TaskDevice(south)
            let release = try await south.release([("app v2.swu", "hello")])
            let client = try await device.connect()
            _ = try await client.subscribe("tasks")
            try await device.order(.install, release: release.id)
            let task = try await client.task()
            guard case .array(let artifacts)? = task["release"]?["artifacts"] else {
                throw Refusal(.invalid, "test", "no artifacts")
            }
            let path = try #require(artifacts[0]["url"]?.string)
            #expect(path.hasPrefix("/acme/controller/v1/\(device.device.device.id.text)/softwaremodules/"))
            let https = try await SouthboundClient.connect(port: south.device, .init(credential: device.credential))
            #expect(try await https.ask("GET", path)?.body == "hello")
            await client.client.close()
        }
    }

    @Test("foreign, unknown and odd tasks look the same, and are noted", arguments: TestDatabase.engines)
    func foreign(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine, speaksMQTT: true) { south in
            let (first, second) = (try await TaskDevice(south), try await TaskDevice(south, "gw-2"))
            let client = try await first.connect()
            _ = try await client.subscribe("tasks")
            try await first.order()
            let number = try await client.number()
            let other = try await second.connect()
            let topics = [
                "tasks/\(number)/status", "tasks/999999999999999999/status", "tasks/9999999999999999999999/status",
                "tasks/-1/status", "tasks/x/status", "v1/devices/me/rpc/response/\(number)",
                "v1/devices/me/rpc/response/x",
            ]
            for topic in topics {
                let answer = try #require(try await other.publish(topic, #"{"state":"succeeded"}"#))
                #expect(answer.reason == .topicNameInvalid && answer.text == DeviceDesk.unknown.message, "\(topic)")
            }
            #expect(south.record.refused.elements == Array(repeating: "task.foreign", count: topics.count))
            #expect(Self.refused("task.unknown", south) == topics.count)
            #expect(try await first.states() == [.offered])
            await other.client.close()
            let old = try await second.connect(.v311)
            #expect(try await old.say("succeeded", of: number)?.reason == .success, "acknowledged and dropped")
            #expect(try await first.states() == [.offered])
            await old.client.close()
            await client.client.close()
        }
    }

    @Test("what is no status is refused, and nothing changes", arguments: [ProtocolVersion.v311, .v5])
    func wrong(version: ProtocolVersion) async throws {
        try await SouthboundFixture.with(speaksMQTT: true) { south in
            let device = try await TaskDevice(south)
            let client = try await device.connect(version)
            _ = try await client.subscribe("tasks")
            try await device.order()
            let number = try await client.number()
            let bodies = ["", "x", "[]", "{}", #"{"state":"done"}"#, #"{"state":"failed","details":[1]}"#]
            for body in bodies {
                let answer = try #require(try await client.publish("tasks/\(number)/status", body))
                #expect(answer.reason == (version == .v5 ? .payloadFormatInvalid : .success), "\(body)")
            }
            let long = String(repeating: " ", count: Limits.statusBytes + 1)
            let answer = try #require(try await client.publish("tasks/\(number)/status", long))
            #expect(answer.reason == (version == .v5 ? .quotaExceeded : .success))
            #expect(Self.refused("task.status", south) == bodies.count + 1)
            #expect(try await device.states() == [.offered])
            let huge =
                "{\"state\":\"failed\",\"details\":["
                + Array(repeating: "\"\(String(repeating: "y", count: 600))\"", count: 90).joined(separator: ",") + "]}"
            #expect(try await client.publish("tasks/\(number)/status", huge)?.reason == .success)
            let details = try #require(try await device.history().last?.details)
            #expect(details.count == 50 && details.allSatisfy { $0.count == 512 })
            await client.client.close()
        }
    }

    @Test("who is still at an attempt that is over is told so; that it is done counts", arguments: TestDatabase.engines)
    func former(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine, speaksMQTT: true) { south in
            let device = try await TaskDevice(south)
            let client = try await device.connect()
            _ = try await client.subscribe("tasks")
            try await device.order(terms: OperationTerms(retries: [.failed: 1], pause: 0))
            let first = try await client.number()
            #expect(try await client.say("failed", of: first)?.reason == .success)
            let second = try await client.number()
            #expect(second != first)
            for state in ["taken", "running"] {
                #expect(try await client.say(state, of: first)?.reason == .implementationSpecificError, "\(state)")
            }
            #expect(try await client.say("failed", of: first)?.reason == .success, "it may be repeated")
            #expect(try await device.states() == [.offered])
            #expect(try await client.say("succeeded", of: second)?.reason == .success)
            await client.client.close()
        }
    }

    // MARK: - ThingsBoard

    @Test("a ThingsBoard device is called once, and its answer closes the task", arguments: TestDatabase.engines)
    func calls(engine: TestDatabase.Engine) async throws {
        try await SouthboundFixture.with(engine, speaksMQTT: true) { south in
            let device = try await TaskDevice(south)
            let client = try await device.connect(.v311)
            _ = try await client.subscribe("v1/devices/me/rpc/request/+")
            func called() async throws -> (number: String, call: String) {
                let told = try #require(try await client.told())
                let parts = told.dropFirst("v1/devices/me/rpc/request/".count).split(separator: " ", maxSplits: 1)
                return (String(parts[0]), String(parts[1]))
            }
            try await device.order()
            let reboot = try await called()
            #expect(reboot.call == #"{"method":"reboot","params":{}}"#)
            // It asks anew, as after a restart, and is not called a second time.
            _ = try await client.subscribe("v1/devices/me/rpc/request/+")
            #expect(try await client.hearsNothing())
            let answers = "v1/devices/me/rpc/response/"
            #expect(try await client.publish(answers + reboot.number, #"{"ok":true}"#)?.reason == .success)
            #expect(try await device.states() == [.succeeded])
            #expect(try await device.history().last?.details == [#"{"ok":true}"#])
            try await device.order(.synchronise)
            let second = try await called()
            #expect(try await client.publish(answers + second.number, #"{"error":"busy"}"#)?.reason == .success)
            #expect(try await device.states().first == .failed)
            // Who speaks both ways hears of the next one signed.
            _ = try await client.subscribe("tasks")
            try await device.order(.synchronise)
            #expect(try await client.task()["type"] == "synchronise")
            await client.client.close()
        }
    }

    @Test("a device that calls the server is told that nobody answers")
    func callsServer() async throws {
        try await SouthboundFixture.with(speaksMQTT: true) { south in
            let device = try await TaskDevice(south)
            for version in [ProtocolVersion.v311, .v5] {
                let client = try await device.connect(version)
                _ = try await client.subscribe("v1/devices/me/rpc/response/+")
                try client.send(
                    .publish(try client.message("v1/devices/me/rpc/request/7", #"{"method":"getTime","params":{}}"#)))
                #expect(
                    try await client.told()
                        == #"v1/devices/me/rpc/response/7 {"error":"this server takes no calls from devices"}"#)
                guard case .puback(let ack)? = try await client.next("PUBACK") else { return }
                #expect(ack.reason == .success)
                try await client.disconnect()
            }
            #expect(Self.refused("task.call", south) == 2)
        }
    }
}
