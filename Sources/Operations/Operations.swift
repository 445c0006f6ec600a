public import Access
public import Audit
public import Base
public import Blobs
public import Bus
public import Fleet
public import Storage
public import Trust

/// Work for devices: tasks, the operations that give the same task to many, and what became of each.
///
/// What is ordered is on disk before its caller gets an answer, and on the board, from which polls are answered, right
/// after. Nothing is ever sent from here: a device gets its work when it calls.
public struct Operations: Sendable {
    /// The open tasks of every device, in memory.
    public let board: TaskBoard
    /// How fast tenants' devices may download.
    public let bandwidth: Bandwidth

    let database: Database
    let access: Access
    let audit: AuditLog
    let keyRing: KeyRing
    let fleet: Fleet
    let bus: Bus
    let blobs: Blobs
    let clock: WallClock
    let releases = ReleaseCache()
    let holds = OperationHolds()
    let autoConfirms = AutoConfirms()
    /// Devices whose tasks nobody will ever come for.
    let deleted = DeletedDevices()
    /// The numbers under which messages to devices are signed.
    let sequences = Sequences()
    /// Campaigns that are under way.
    let campaigns = CampaignDesk()
    /// Wakes the clock of the tasks.
    let wake = Bell()
    /// Sends a text message to a device, to be delivered before a moment; throws when there is no way.
    let text: (@Sendable (_ number: String, _ expires: Timestamp, TenantID, Transaction) throws -> Void)?

    /// The operations in this database.
    public init(
        database: Database, access: Access, audit: AuditLog, keyRing: KeyRing, fleet: Fleet, bus: Bus,
        blobs: Blobs, clock: WallClock = .system,
        text: (@Sendable (_ number: String, _ expires: Timestamp, TenantID, Transaction) throws -> Void)? = nil
    ) {
        self.database = database
        self.access = access
        self.audit = audit
        self.keyRing = keyRing
        self.fleet = fleet
        self.bus = bus
        self.clock = clock
        self.blobs = blobs
        self.text = text
        board = TaskBoard()
        bandwidth = Bandwidth { [directory = access.directory] tenant in
            (directory.plan(of: tenant)?.downloadKilobytesPerSecond ?? 1) << 10
        }
        addApprovals()
        addCampaignApprovals()
    }

    /// Puts what is open on the board, and ends what was being ordered when the server stopped; call it before the
    /// listeners open.
    public func start() async throws {
        bus.subscribe(to: DeviceChanged.self) { [board, autoConfirms, deleted] event in
            guard event.change == .deleted else { return }
            board.forget(event.device)
            autoConfirms.set(nil, of: event.device)
            deleted.add(event.device, of: event.tenant)
        }
        try await database.platform.read { [board] transaction in
            var tasks: [DeviceTask] = []
            try transaction.acrossTenants.forEach(
                "SELECT \(TaskStore.columns) FROM task t WHERE t.state < 100 AND t.state > 0"
            ) { row in
                tasks.append(try TaskStore.read(row))
                guard tasks.count >= OperationLimits.tasksAtOnce else { return }
                board.post(tasks)
                tasks = []
            }
            board.post(tasks)
        }
        try await endUnprepared()
        try await loadHolds()
        try await loadInstalled()
        try await startCampaigns()
    }

    static let unknown = Refusal(.notFound, "operation.unknown", "There is no such operation, or it is not for you.")

    func record(
        _ code: AuditCode, _ operation: OperationID, of tenant: TenantID, by actor: Actor, details: JSONValue = [:],
        in transaction: Transaction
    ) throws {
        try audit.record(
            AuditEntry(
                code, tenant: tenant, actor: actor, object: AuditObject(kind: "operation", id: operation.text),
                details: details),
            in: transaction)
    }
}

/// Tasks of a tenant changed: lists of them are out of date.
public struct TasksChanged: Event, Hashable {
    /// The tenant.
    public let tenant: TenantID
    /// The operations that they are part of.
    public let operations: Set<OperationID>
}

/// Failed tasks of an operation are tried again.
public struct OperationRetried: Event, Hashable {
    /// The tenant.
    public let tenant: TenantID
    /// The operation.
    public let operation: OperationID
    /// When that began: what fails from then on fails anew.
    public let time: Timestamp
}

/// Work waits for a device: whoever holds a connection of it says so.
public struct TaskPosted: Event, Hashable {
    /// The device's tenant.
    public let tenant: TenantID
    /// The device.
    public let device: DeviceID
}
