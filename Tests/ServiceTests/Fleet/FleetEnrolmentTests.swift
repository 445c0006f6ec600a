import Access
import Audit
import Base
import Bus
import Storage
import Testing

@testable import Fleet
@testable import Trust

@Suite("Enrolment and credentials")
struct FleetEnrolmentTests {
    private static let refused = Refusal(.unauthenticated, "enrolment.refused", "")

    @Test("a registered device enrols once with its token and is let in", arguments: TestDatabase.engines)
    func enrols(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let registered = try await world.register("meter-1")
            let admitted = try await world.enrol(registered)
            #expect(admitted.device == registered.device.id)
            #expect(admitted.tenant == world.acme)
            #expect(admitted.tenantSlug.text == "acme")
            #expect(admitted.name.text == "meter-1")
            #expect(admitted.opens(.maintenance) && admitted.opens(.stream))
            #expect(world.fleet.directory.isAdmitted(admitted))
            let details = try await world.fleet.show("meter-1", in: world.acme, by: FleetFixture.admin)
            #expect(details.device.status == .active)
            #expect(details.device.enrolled == world.time.now)
            #expect(details.certificates.map(\.fingerprint) == [admitted.credential])
            #expect(details.enrolment == nil)
            #expect(try await world.audited() == ["device.enrolled", "device.registered"])
            await #expect(throws: Self.refused) { try await world.enrol(registered) }
        }
    }

    @Test(
        "every bad identifier or token gets the same answer, and its reason is counted", arguments: TestDatabase.engines
    )
    func refuses(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let used = try await world.register("used")
            _ = try await world.enrol(used)
            let expired = try await world.fleet.register(
                DeviceDraft(name: try #require(Name("expired"))), in: world.acme, by: FleetFixture.admin,
                tokenLife: .seconds(60))
            let suspended = try await world.register("suspended")
            _ = try await world.fleet.suspend("suspended", in: world.acme, by: FleetFixture.admin)
            let revoked = try await world.register("revoked")
            _ = try await world.fleet.revoke("revoked", in: world.acme, by: FleetFixture.admin)
            try await world.domain("elsewhere")
            let moved = try await world.register("moved")
            var change = DeviceChange()
            change.domain = "elsewhere"
            _ = try await world.fleet.update("moved", change, in: world.acme, by: FleetFixture.admin)
            let other = try await world.register("other")
            world.time.advance(by: .seconds(61))
            let request = try FleetFixture.request()
            let attempts: [(String, String?, String)] = [
                ("none", "acme", used.token.text), ("used", "acme", used.token.text),
                ("expired", "acme", expired.token.text), ("suspended", "acme", suspended.token.text),
                ("revoked", "acme", revoked.token.text), ("moved", "acme", moved.token.text),
                ("other", "acme", used.token.text), ("other", "acme", ""), ("other", "rival", other.token.text),
                ("other", "nobody", other.token.text), ("other", nil, other.token.text),
                ("not a name", "acme", other.token.text), ("other", "acme", String(repeating: "x", count: 10_000)),
            ]
            var messages: Set<String> = []
            for (identifier, slug, token) in attempts {
                let refusal = await #expect(throws: Refusal.self) {
                    try await world.fleet.enrol(
                        tenant: slug.flatMap { TenantSlug($0) }, identifier: identifier, token: token, csr: request,
                        address: "192.0.2.1")
                }
                #expect(refusal == Self.refused)
                messages.insert(refusal?.message ?? "")
            }
            #expect(messages.count == 1)
            try await world.audit.settle()
            let summaries = try await world.database.tenant(world.acme).read { transaction in
                try transaction.row("SELECT count(*) FROM audit_entry WHERE tenant = $1 AND code = 'access.refused'")?
                    .int(0)
            }
            #expect((summaries ?? 0) > 0)
            // The identifier alone finds the tenant, and all this has not used the good token up.
            _ = try await world.fleet.enrol(
                tenant: nil, identifier: other.device.id.text, token: other.token.text, csr: request, address: nil)
        }
    }

    @Test("of many enrolments with one token at the same moment exactly one succeeds", arguments: TestDatabase.engines)
    func once(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            for round in 0..<3 {
                let registered = try await world.register("meter-\(round)")
                let requests = try (0..<8).map { _ in try FleetFixture.request() }
                let winners = await withTaskGroup(of: Bool.self) { group in
                    for request in requests {
                        group.addTask {
                            do {
                                _ = try await world.fleet.enrol(
                                    tenant: TenantSlug("acme"), identifier: registered.device.name.text,
                                    token: registered.token.text, csr: request, address: nil)
                                return true
                            } catch {
                                #expect(error as? Refusal == Self.refused, "\(error)")
                                return false
                            }
                        }
                    }
                    return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                #expect(winners == 1)
                let details = try await world.fleet.show("meter-\(round)", in: world.acme, by: FleetFixture.admin)
                #expect(details.certificates.count == 1)
            }
        }
    }

    @Test("a faulty certificate request does not use the token up", arguments: TestDatabase.engines)
    func faultyRequest(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let registered = try await world.register("meter-1")
            let refusal = await #expect(throws: Refusal.self) {
                try await world.fleet.enrol(
                    tenant: TenantSlug("acme"), identifier: "meter-1", token: registered.token.text, csr: [0x30, 0x00],
                    address: nil)
            }
            #expect(refusal?.kind == .invalid)
            _ = try await world.enrol(registered)
        }
    }

    @Test(
        "a new token lets an enrolled device enrol again and ends its earlier certificate",
        arguments: TestDatabase.engines)
    func again(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let ended = FleetTestLog<DeviceAccessEnded>()
            world.bus.subscribe(to: DeviceAccessEnded.self) { ended.append($0) }
            let registered = try await world.register("meter-1")
            let first = try await world.enrol(registered)
            let token = try await world.fleet.reissueEnrolmentToken("meter-1", in: world.acme, by: FleetFixture.admin)
            #expect(world.fleet.directory.isAdmitted(first))
            let second = try await world.enrol(RegisteredDevice(device: registered.device, token: token))
            #expect(!world.fleet.directory.isAdmitted(first))
            #expect(world.fleet.directory.isAdmitted(second))
            #expect(ended.elements.map(\.fingerprint) == [first.credential])
        }
    }

    @Test(
        "a renewed certificate keeps the identity, the present one stays good, and their number is bounded",
        arguments: TestDatabase.engines)
    func renews(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            var admitted = [try await world.enrol(try await world.register("meter-1"))]
            for _ in 0..<3 {
                world.time.advance(by: .seconds(600))
                let renewed = try await world.fleet.reenrol(
                    try #require(admitted.first), csr: FleetFixture.request(), address: nil)
                admitted.append(try world.fleet.directory.admit(try await world.handshake(renewed)))
            }
            #expect(Set(admitted.map(\.device)).count == 1)
            // Three at most: the one that asked, the newest, and the newest of the others.
            #expect(admitted.map { world.fleet.directory.isAdmitted($0) } == [true, false, true, true])
            for _ in 0..<(FleetLimits.certificatesPerDay - 4) {
                _ = try await world.fleet.reenrol(
                    try #require(admitted.first), csr: FleetFixture.request(), address: nil)
            }
            let limited = await #expect(throws: Refusal.self) {
                try await world.fleet.reenrol(try #require(admitted.first), csr: FleetFixture.request(), address: nil)
            }
            #expect(limited?.kind == .limited)
            world.time.advance(by: .seconds(86_401))
            _ = try await world.fleet.reenrol(try #require(admitted.first), csr: FleetFixture.request(), address: nil)
        }
    }

    @Test(
        "a streaming certificate opens telemetry only, and asks for no maintenance certificate",
        arguments: TestDatabase.engines)
    func channels(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            _ = try await world.fleet.createModel(
                try #require(Name("strict")), ModelDocument(oneCertificateForBoth: false, certificateDays: 7),
                in: world.acme, by: FleetFixture.admin)
            let maintenance = try await world.enrol(try await world.register("gw") { $0.model = "strict" })
            #expect(maintenance.opens(.maintenance) && !maintenance.opens(.stream))
            #expect(maintenance.notAfter <= world.time.now + .seconds(7 * 86_400))
            let enrolled = try await world.fleet.reenrol(
                maintenance, csr: FleetFixture.request(), channel: .stream, address: nil)
            let stream = try world.fleet.directory.admit(try await world.handshake(enrolled))
            #expect(!stream.opens(.maintenance) && stream.opens(.stream))
            let refusal = await #expect(throws: Refusal.self) {
                try await world.fleet.reenrol(stream, csr: FleetFixture.request(), channel: .maintenance, address: nil)
            }
            #expect(refusal?.kind == .forbidden)
            let again = try await world.fleet.reenrol(stream, csr: FleetFixture.request(), address: nil)
            #expect(!(try world.fleet.directory.admit(try await world.handshake(again)).opens(.maintenance)))
        }
    }

    @Test(
        "suspending, resuming, revoking and deleting are in force when the call returns",
        arguments: TestDatabase.engines)
    func status(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let ended = FleetTestLog<DeviceAccessEnded>()
            // Whoever hears of an end must already see it in the directory.
            let admitted = try await world.enrol(try await world.register("meter-1"))
            let seen = FleetTestLog<Bool>()
            world.bus.subscribe(to: DeviceAccessEnded.self) { event in
                ended.append(event)
                seen.append(world.fleet.directory.isAdmitted(admitted))
            }
            let fleet = world.fleet
            #expect(
                try await fleet.suspend("meter-1", reason: "odd", in: world.acme, by: FleetFixture.admin).status
                    == .suspended)
            #expect(!fleet.directory.isAdmitted(admitted))
            #expect(try await fleet.suspend("meter-1", in: world.acme, by: FleetFixture.admin).revision == 3)
            #expect(try await fleet.resume("meter-1", in: world.acme, by: FleetFixture.admin).status == .active)
            #expect(fleet.directory.isAdmitted(admitted))
            #expect(try await fleet.revoke("meter-1", in: world.acme, by: FleetFixture.admin).status == .revoked)
            #expect(!fleet.directory.isAdmitted(admitted))
            for act in [fleet.resume, { try await fleet.suspend($0, in: $1, by: $2) }] {
                await #expect(throws: Refusal(.conflict, "device.revoked", "")) {
                    try await act("meter-1", world.acme, FleetFixture.admin)
                }
            }
            await #expect(throws: Refusal(.conflict, "device.revoked", "")) {
                try await fleet.reissueEnrolmentToken("meter-1", in: world.acme, by: FleetFixture.admin)
            }
            let details = try await fleet.show("meter-1", in: world.acme, by: FleetFixture.admin)
            #expect(details.certificates.map(\.status) == [.revoked])
            try await fleet.delete("meter-1", in: world.acme, by: FleetFixture.admin)
            await #expect(throws: Fleet.unknown) {
                try await fleet.show("meter-1", in: world.acme, by: FleetFixture.admin)
            }
            #expect(ended.elements.map(\.reason) == [.suspended, .revoked, .deleted])
            #expect(seen.elements == [false, false, false])
            #expect(
                try await world.audited() == [
                    "device.deleted", "device.enrolled", "device.registered", "device.resumed", "device.revoked",
                    "device.suspended",
                ])
        }
    }

    @Test("a suspended device that never enrolled is registered again when resumed", arguments: TestDatabase.engines)
    func resumeRegistered(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let registered = try await world.register("meter-1")
            _ = try await world.fleet.suspend("meter-1", in: world.acme, by: FleetFixture.admin)
            #expect(
                try await world.fleet.resume("meter-1", in: world.acme, by: FleetFixture.admin).status == .registered)
            _ = try await world.enrol(registered)
        }
    }

    @Test("a suspended or deleted tenant's devices are not let in", arguments: TestDatabase.engines)
    func tenant(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let registered = try await world.register("meter-1")
            let admitted = try await world.enrol(registered)
            let slug = try #require(TenantSlug("acme"))
            _ = try await world.access.suspendTenant(slug, by: FleetFixture.admin)
            #expect(!world.fleet.directory.isAdmitted(admitted))
            _ = try await world.access.resumeTenant(slug, by: FleetFixture.admin)
            #expect(world.fleet.directory.isAdmitted(admitted))
        }
    }

    @Test("a credential that has expired lets nobody in", arguments: TestDatabase.engines)
    func expiry(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let admitted = try await world.enrol(try await world.register("meter-1"))
            world.time.advance(by: .seconds(31 * 86_400))
            #expect(!world.fleet.directory.isAdmitted(admitted))
            await #expect(throws: Refusal.self) {
                try await world.fleet.reenrol(admitted, csr: FleetFixture.request(), address: nil)
            }
        }
    }

    @Test(
        "a new unit keeps place and identifier, the old one is out and its identifiers stay claimed",
        arguments: TestDatabase.engines)
    func replaces(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let old = try #require(HardwareIdentifier(.serial, "OLD"))
            let new = try #require(HardwareIdentifier(.serial, "NEW"))
            let registered = try await world.register("meter-1") { draft in
                draft.identifiers = [old]
                draft.labels = ["site": "Berlin"]
            }
            let first = try await world.enrol(registered)
            let replaced = try await world.fleet.replace(
                "meter-1", identifiers: [new], in: world.acme, by: FleetFixture.admin)
            #expect(replaced.device.id == registered.device.id)
            #expect(replaced.device.labels == ["site": "Berlin"])
            #expect(replaced.device.status == .registered)
            #expect(!world.fleet.directory.isAdmitted(first))
            await #expect(throws: Self.refused) { try await world.enrol(registered) }
            let second = try await world.enrol(replaced)
            #expect(second.device == first.device)
            let details = try await world.fleet.show("meter-1", in: world.acme, by: FleetFixture.admin)
            #expect(details.retired.map(\.identifier) == [old])
            // Nobody else can register the broken unit; the tenant can, once it is repaired.
            await #expect(throws: Refusal(.conflict, "device.identifierTaken", "")) {
                try await world.register("x", { $0.identifiers = [old] }, in: world.rival)
            }
            _ = try await world.register("spare") { $0.identifiers = [old] }
            await #expect(throws: Refusal(.conflict, "device.identifierTaken", "")) {
                try await world.register("y") { $0.identifiers = [old] }
            }
        }
    }

    @Test(
        "an access token lets a device in only where its model allows the weaker credential",
        arguments: TestDatabase.engines)
    func accessToken(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let fleet = world.fleet
            let name = try #require(Name("weak"))
            _ = try await world.register("plain")
            await #expect(throws: Refusal(.conflict, "model.noAccessToken", "")) {
                try await fleet.createAccessToken("plain", in: world.acme, by: FleetFixture.admin)
            }
            _ = try await fleet.createModel(
                name, ModelDocument(allowsAccessToken: true), in: world.acme, by: FleetFixture.admin)
            _ = try await world.register("weak-1") { $0.model = "weak" }
            let token = try await fleet.createAccessToken("weak-1", in: world.acme, by: FleetFixture.admin)
            #expect(token.text.utf8.count == 32)
            let admitted = try fleet.directory.admit(accessToken: token.text)
            #expect(admitted.credential == nil)
            #expect(admitted.name.text == "weak-1")
            for wrong in [
                "", "x", token.text + "0", token.text.uppercased() + "A", String(repeating: "0", count: 100_000),
            ] {
                #expect(throws: Refusal.self) { try fleet.directory.admit(accessToken: wrong) }
            }
            await #expect(throws: Refusal.self) {
                try await fleet.reenrol(admitted, csr: FleetFixture.request(), address: nil)
            }
            let details = try await fleet.show("weak-1", in: world.acme, by: FleetFixture.admin)
            #expect(details.accessTokens == [token.record])
            #expect(details.device.status == .active)
            #expect(!details.json.canonical.contains(token.text))
            // The model's change reaches those who are in.
            let ended = FleetTestLog<DeviceAccessEnded>()
            world.bus.subscribe(to: DeviceAccessEnded.self) { ended.append($0) }
            _ = try await fleet.updateModel("weak", ModelDocument(), in: world.acme, by: FleetFixture.admin)
            #expect(!fleet.directory.isAdmitted(admitted))
            #expect(ended.elements.map(\.reason) == [.policyChanged])
            #expect(throws: Refusal.self) { try fleet.directory.admit(accessToken: token.text) }
            _ = try await fleet.updateModel(
                "weak", ModelDocument(allowsAccessToken: true), in: world.acme, by: FleetFixture.admin)
            #expect(fleet.directory.isAdmitted(admitted))
            try await fleet.endAccessToken(token.record.id, of: "weak-1", in: world.acme, by: FleetFixture.admin)
            #expect(!fleet.directory.isAdmitted(admitted))
        }
    }

    @Test(
        "after a restart the directory knows the same devices, credentials and models", arguments: TestDatabase.engines)
    func restart(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            _ = try await world.fleet.createModel(
                try #require(Name("weak")), ModelDocument(allowsAccessToken: true), in: world.acme,
                by: FleetFixture.admin)
            let enrolled = try await world.enrol(try await world.register("a"))
            _ = try await world.register("b") { $0.model = "weak" }
            let token = try await world.fleet.createAccessToken("b", in: world.acme, by: FleetFixture.admin)
            let gone = try await world.enrol(try await world.register("c"))
            _ = try await world.fleet.revoke("c", in: world.acme, by: FleetFixture.admin)
            let suspended = try await world.enrol(try await world.register("d"))
            _ = try await world.fleet.suspend("d", in: world.acme, by: FleetFixture.admin)

            let again = try await world.restarted()
            let directory = again.fleet.directory
            func verified(_ device: AdmittedDevice) throws -> VerifiedDevice {
                VerifiedDevice(
                    tenant: device.tenant, device: device.device, channel: .maintenance,
                    fingerprint: try #require(device.credential), notAfter: device.notAfter)
            }
            #expect(directory.count.devices == 4)
            #expect(try directory.admit(verified(enrolled)).name.text == "a")
            #expect(try directory.admit(accessToken: token.text).name.text == "b")
            #expect(throws: Refusal.self) { try directory.admit(verified(gone)) }
            #expect(throws: Refusal.self) { try directory.admit(verified(suspended)) }
            _ = try await again.fleet.resume("d", in: again.acme, by: FleetFixture.admin)
            #expect(try directory.admit(verified(suspended)).name.text == "d")
        }
    }
}
