import Base
import Operations
import Testing

@testable import Fleet

/// A device that speaks our own protocol over HTTPS, on one connection.
struct WorkDevice: Sendable {
    let fixture: SouthboundFixture
    let device: RegisteredDevice
    let client: SouthboundClient
    let slug: String

    /// An enrolled device with a connection.
    init(_ fixture: SouthboundFixture, _ name: String = "meter-1", in slug: String = "acme") async throws {
        self.fixture = fixture
        let credential: SouthboundFixture.Credential
        (device, credential) = try await fixture.enrolled(name, in: slug)
        client = try await SouthboundClient.connect(port: fixture.device, .init(credential: credential))
        self.slug = slug
    }

    func get(_ path: String) async throws -> SouthboundClient.Response {
        try #require(try await client.ask("GET", "/\(slug)\(path)"))
    }

    func json(_ path: String) async throws -> JSONValue {
        let response = try await get(path)
        #expect(response.status == 200, "\(path): \(response.body)")
        return try JSONValue(parsing: Array(response.body.utf8))
    }

    func post(_ path: String, _ body: String) async throws -> SouthboundClient.Response {
        try #require(try await client.ask("POST", "/\(slug)\(path)", body: body))
    }

    /// Says how a task stands; the answer's status.
    func say(_ state: String, of number: Int64) async throws -> Int {
        try await post("/tasks/\(number)/status", "{\"state\":\"\(state)\"}").status
    }

    /// The tasks in the answer to a heartbeat.
    func tasks() async throws -> [JSONValue] {
        guard case .array(let tasks)? = try await json("/heartbeat")["tasks"] else { return [] }
        return tasks
    }

    /// The number of the first task in the answer to a heartbeat.
    func number() async throws -> Int64 { try #require(try await tasks().first?["id"]?.integer) }

    /// Orders something for the device, and waits until it can get it.
    @discardableResult
    func order(
        _ type: TaskType = .reboot, input: JSONValue = [:], release: ReleaseID? = nil,
        terms: OperationTerms = OperationTerms()
    ) async throws -> OperationID {
        let count = fixture.operations.board.tasks(for: device.device.id, limit: 200).count
        let operation = try await fixture.operations.order(
            OperationOrder(
                type, .devices([.init(device.device.name.text)]), release: release, input: input, terms: terms),
            in: tenant, by: SouthboundFixture.admin)
        try await fixture.eventually("the task waits for the device") {
            fixture.operations.board.tasks(for: device.device.id, limit: 200).count > count
        }
        return operation.id
    }

    /// How the device's tasks stand, the newest first.
    func states() async throws -> [TaskState] {
        try await fixture.operations.tasks(
            .device(device.device.name.text), limit: 20, in: tenant, by: SouthboundFixture.admin
        ).items.map(\.task.state)
    }

    private var tenant: TenantID { slug == "acme" ? fixture.acme : fixture.rival }
}
