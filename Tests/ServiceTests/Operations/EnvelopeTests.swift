import Agent
import Base
import Storage
import Testing

@testable import Fleet
@testable import Operations
@testable import Trust

/// What devices are handed: signed, numbered, and no more than is theirs.
@Suite("Envelopes")
struct EnvelopeTests {
    /// What a signature covers.
    static func payload(_ envelope: DeviceEnvelope) throws -> JSONValue {
        let parts = try #require(envelope.json["signed"]?.string).split(separator: ".").map(String.init)
        return try JSONValue(parsing: try #require([UInt8](base64URL: parts[1])))
    }

    /// Whether a key of a set has signed it.
    static func isSigned(_ envelope: DeviceEnvelope, by keys: JSONValue) throws -> Bool {
        let parts = try #require(envelope.json["signed"]?.string).split(separator: ".").map(String.init)
        let header = try JSONValue(parsing: try #require([UInt8](base64URL: parts[0])))
        guard case .array(let keys)? = keys["keys"],
            let key = keys.first(where: { $0["kid"] == header["kid"] }).flatMap({ JSONWebKey($0) }),
            let signature = [UInt8](base64URL: parts[2])
        else { return false }
        return key.isValid(signature, .edDSA, for: Array("\(parts[0]).\(parts[1])".utf8))
    }

    private func handOut(_ fixture: OperationsFixture, _ device: Device) async throws -> [DeviceEnvelope] {
        let tasks = fixture.operations.board.tasks(for: device.id, limit: OperationLimits.handedOut)
        let request = EnvelopeRequest(tasks, for: try fixture.admitted(device), base: "https://x/acme/controller/v1/y")
        return try await fixture.operations.handOut([request])[0]
    }

    @Test("a task comes signed for its device, and its time runs from then on", arguments: TestDatabase.engines)
    func signed(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { fixture in
            let devices = try await fixture.devices(2)
            let list = OperationTarget.devices([
                .init("d-0", input: ["secret": "one"]), .init("d-1", input: ["secret": "two"]),
            ])
            _ = try await fixture.order(.changeSecret, list, terms: OperationTerms(timeout: 600))
            let envelope = try #require(try await handOut(fixture, devices[0]).first)
            #expect(try fixture.next(devices[0]).state == .offered)
            #expect(envelope.json["input"] == ["secret": "one"] && envelope.json["type"]?.string == "changeSecret")
            let end = fixture.world.time.now + .seconds(600)
            #expect(envelope.json["expires"]?.string == end.rfc3339)
            let payload = try Self.payload(envelope)
            #expect(payload["tenant"]?.string == "acme" && payload["device"]?.string == devices[0].id.text)
            #expect(payload["expires"]?.integer == end.seconds && payload["input"] == ["secret": "one"])
            #expect(payload["id"] == envelope.json["id"] && payload["type"] == envelope.json["type"])
            let keys = try await fixture.operations.maintenanceKeys(of: fixture.world.acme)
            #expect(try Self.isSigned(envelope, by: keys))
            let rival = try await fixture.operations.maintenanceKeys(of: fixture.world.rival)
            #expect(try !Self.isSigned(envelope, by: rival), "each tenant has its own key")

            // The same again is the same task, under a later number.
            let again = try #require(try await handOut(fixture, devices[0]).first)
            #expect(again.json["id"] == envelope.json["id"])
            let sequence = try #require(payload["sequence"]?.integer)
            #expect(try #require(try Self.payload(again)["sequence"]?.integer) > sequence)
            #expect(again.json["begun"] == nil)
            let task = try fixture.next(devices[0])
            #expect(try await fixture.say(.progress, of: task, from: devices[0]) == .kept)
            #expect(try await handOut(fixture, devices[0]).first?.json["begun"] == true)
        }
    }

    @Test("what a device is to end comes without what it brought", arguments: TestDatabase.engines)
    func cancelled(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { fixture in
            let device = try await fixture.devices(1)[0]
            let operation = try await fixture.order(.changeSecret, .filter(nil), input: ["secret": "x"])
            #expect(try await handOut(fixture, device).first?.json["cancel"] == nil)
            _ = try await fixture.operations.cancel(
                operation.id, force: false, in: fixture.world.acme, by: OperationsFixture.admin)
            let envelope = try #require(try await handOut(fixture, device).first)
            #expect(envelope.json["cancel"] == true && envelope.json["input"] == [:] && envelope.isCancel)
            #expect(try Self.payload(envelope)["cancel"] == true)
            #expect(try await fixture.say(.cancelled, of: try fixture.next(device), from: device) == .kept)
            #expect(try await handOut(fixture, device).isEmpty)
        }
    }

    @Test("a device gets what it has begun first, then the oldest, and only so many", arguments: TestDatabase.engines)
    func order(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { fixture in
            let device = try await fixture.devices(1)[0]
            for _ in 0..<12 {
                _ = try await fixture.order(.reboot)
                fixture.world.time.advance(by: .seconds(1))
            }
            let first = try await handOut(fixture, device)
            #expect(first.count == OperationLimits.handedOut)
            let numbers = first.compactMap(\.number)
            #expect(numbers == numbers.sorted())
            #expect(try await handOut(fixture, device).compactMap(\.number) == numbers)
            let last = try #require(fixture.operations.board.task(numbers[7], of: device.id))
            #expect(try await fixture.say(.succeeded, of: last, from: device) == .kept)
            let next = try await handOut(fixture, device).compactMap(\.number)
            #expect(Array(next.prefix(7)) == Array(numbers.prefix(7)) && next.count == 8 && !next.contains(numbers[7]))
            let sequences = try await handOut(fixture, device).map { try Self.payload($0)["sequence"]?.integer ?? 0 }
            #expect(sequences == sequences.sorted() && Set(sequences).count == sequences.count)
        }
    }

    @Test("numbers grow over a restart although the clock was put back", arguments: TestDatabase.engines)
    func clock(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { fixture in
            let device = try await fixture.devices(1)[0]
            _ = try await fixture.order(.reboot)
            func sequence(_ fixture: OperationsFixture) async throws -> Int64 {
                let envelope = try #require(try await handOut(fixture, device).first)
                return try #require(try Self.payload(envelope)["sequence"]?.integer)
            }
            var last = try await sequence(fixture)
            fixture.world.time.advance(by: .seconds(-200))
            let back = try await sequence(fixture)
            #expect(back > last)
            last = back
            let restarted = try await fixture.restarted()
            let after = try await sequence(restarted)
            #expect(after > last)
            #expect(try await sequence(restarted) > after)
        }
    }

    @Test("a new key signs at once, and the old one is shown as long as it counts", arguments: TestDatabase.engines)
    func rotation(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { fixture in
            let (operations, acme) = (fixture.operations, fixture.world.acme)
            let device = try await fixture.devices(1)[0]
            try await operations.rotateMaintenanceKey(of: acme)
            func names() async throws -> [String] {
                guard case .array(let keys)? = try await operations.maintenanceKeys(of: acme)["keys"] else { return [] }
                return keys.compactMap { $0["kid"]?.string }
            }
            let first = try await names()
            #expect(first.count == 1)
            _ = try await fixture.order(.reboot)
            let old = try #require(try await handOut(fixture, device).first)
            try await operations.rotateMaintenanceKey(of: acme)
            let both = try await names()
            #expect(both.count == 2 && both[1] == first[0])
            let new = try #require(try await handOut(fixture, device).first)
            let keys = try await operations.maintenanceKeys(of: acme)
            #expect(try Self.isSigned(old, by: keys) && Self.isSigned(new, by: keys))
            #expect(
                try #require(try Self.payload(new)["sequence"]?.integer)
                    > #require(try Self.payload(old)["sequence"]?.integer))
            let left = try await fixture.world.database.tenant(acme).read {
                try $0.rows("SELECT id FROM maintenance_key WHERE tenant = $1 AND private_key IS NOT NULL").count
            }
            #expect(left == 1, "nobody can sign with a key that was replaced")
            fixture.world.time.advance(by: OperationLimits.envelopeLife + .seconds(120))
            try await operations.trim()
            #expect(try await names() == [both[0]])
        }
    }

    @Test(
        "each replaced key vouches for the one after it, for longer than it is shown", arguments: TestDatabase.engines)
    func vouchers(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { fixture in
            let (operations, acme) = (fixture.operations, fixture.world.acme)
            let first = try await operations.maintenanceKeys(of: acme)
            #expect(first["vouchers"] == nil)
            let known = try #require(MaintenanceKeys(parsing: Array(first.canonical.utf8)))
            for _ in 0..<3 {
                try await operations.rotateMaintenanceKey(of: acme)
                fixture.world.time.advance(by: OperationLimits.envelopeLife + .seconds(120))
            }
            try await operations.trim()
            let last = try await operations.maintenanceKeys(of: acme)
            guard case .array(let vouchers)? = last["vouchers"], case .array(let keys)? = last["keys"] else {
                Issue.record("there are no vouchers")
                return
            }
            #expect(vouchers.count == 3 && keys.count == 1)
            let kid = try #require(keys.first?["kid"]?.string)
            #expect(known.successor(in: Array(last.canonical.utf8))?.knows(kid) == true)
            // Another tenant's device follows to none of them.
            let rival = try await operations.maintenanceKeys(of: fixture.world.rival)
            let other = try #require(MaintenanceKeys(parsing: Array(rival.canonical.utf8)))
            #expect(other.successor(in: Array(last.canonical.utf8)) == nil)
            #expect(rival["vouchers"] == nil)
        }
    }

    @Test("what a device is wanted to be comes signed", arguments: TestDatabase.engines)
    func desired(engine: TestDatabase.Engine) async throws {
        try await OperationsFixture.with(engine) { fixture in
            let device = try await fixture.devices(1)[0]
            let document = try await fixture.world.fleet.setDesired(
                ["apn": "m2m"], of: "d-0", in: fixture.world.acme, by: OperationsFixture.admin)
            let envelope = try await fixture.operations.envelope(
                desired: document, for: try fixture.admitted(device))
            #expect(envelope.json["version"] == 1 && envelope.json["document"] == ["apn": "m2m"])
            let payload = try Self.payload(envelope)
            #expect(payload["document"] == ["apn": "m2m"] && payload["device"]?.string == device.id.text)
            let keys = try await fixture.operations.maintenanceKeys(of: fixture.world.acme)
            #expect(try Self.isSigned(envelope, by: keys))
        }
    }
}
