import Access
import Base
import Blobs
import Storage
import Testing

@testable import Fleet
@testable import Operations

/// Operations over a fleet with two tenants, on one engine, with a clock that the test moves.
struct OperationsFixture: Sendable {
    static let admin = Principal.localAdministrator

    let world: FleetFixture
    let operations: Operations
    /// The numbers to which devices' text messages went.
    let texts = SouthboundFixture.Log<String>()
    /// Whether there is a gateway for text messages.
    let hasGateway = SouthboundFixture.Setting(true)

    static func with(
        _ engine: TestDatabase.Engine, _ body: (OperationsFixture) async throws -> Void
    ) async throws {
        try await FleetFixture.with(engine) { world in
            try await world.database.migrate([
                OperationsSchema.part, ReleasesSchema.part, LinesSchema.part, MaintenanceSchema.part,
                CampaignsSchema.part,
            ])
            try await body(OperationsFixture(world))
        }
    }

    private init(_ world: FleetFixture) async throws {
        self.world = world
        operations = Operations(
            database: world.database, access: world.access, audit: world.audit, keyRing: world.ring,
            fleet: world.fleet, bus: world.bus,
            blobs: try Blobs(directory: world.directory + "/blobs"), clock: world.time.clock,
            text: { [texts, hasGateway] number, _, _, _ in
                guard hasGateway.current else { throw Refusal(.unavailable, "delivery.noGateway", "no gateway") }
                texts.append(number)
            })
        try await operations.start()
    }

    /// The same database after a restart: the board is made anew.
    func restarted() async throws -> OperationsFixture { try await OperationsFixture(try await world.restarted()) }

    /// Registers devices named `d-0`, `d-1` and so on, and answers with the first ten of them.
    func devices(_ count: Int, in tenant: TenantID? = nil) async throws -> [Device] {
        let list = try world.list("name\n" + (0..<count).map { "d-\($0)" }.joined(separator: "\n"))
        _ = try await world.fleet.registerMany(list, in: tenant ?? world.acme, by: Self.admin)
        var devices: [Device] = []
        for number in 0..<min(count, 10) {
            devices.append(
                try await world.fleet.show("d-\(number)", in: tenant ?? world.acme, by: Self.admin).device)
        }
        return devices
    }

    /// A device as it comes in.
    func admitted(_ device: Device, of tenant: TenantID? = nil) throws -> AdmittedDevice {
        AdmittedDevice(
            tenant: tenant ?? world.acme, tenantSlug: try #require(TenantSlug("acme")), device: device.id,
            name: device.name, domain: device.domain, model: nil, channels: .both, credential: nil,
            notAfter: world.time.now, ticket: CredentialTicket(slot: 0, number: 0))
    }

    /// Orders, and lets the clock of the tasks turn, so that devices can get them.
    func order(
        _ type: TaskType = .reboot, _ target: OperationTarget = .filter(nil), input: JSONValue = [:],
        terms: OperationTerms = OperationTerms(), by principal: Principal = Self.admin
    ) async throws -> Operation {
        let operation = try await operations.order(
            OperationOrder(type, target, input: input, terms: terms), in: world.acme, by: principal)
        try await operations.turn()
        return operation
    }

    /// What one device says.
    func say(
        _ report: TaskFeedback.Report, of task: PostedTask, from device: Device, details: [String] = []
    ) async throws -> FeedbackOutcome {
        try await operations.take([
            TaskFeedback(report, of: task.number, from: try admitted(device), details: details)
        ])[0]
    }

    /// How many tasks of an operation are in each state.
    func counts(_ id: OperationID) async throws -> [TaskState: Int] {
        try await operations.operation(id, in: world.acme, by: Self.admin).operation.counts
    }

    func state(_ id: OperationID) async throws -> Operation.State {
        try await operations.operation(id, in: world.acme, by: Self.admin).operation.state
    }

    /// What a device is to do now.
    func next(_ device: Device) throws -> PostedTask {
        try #require(operations.board.next(for: device.id), "\(device.name) has nothing to do")
    }
}
