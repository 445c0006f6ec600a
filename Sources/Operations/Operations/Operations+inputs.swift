public import Base
import Fleet
import Storage
import Trust

/// What tasks bring: sealed on disk, because it may be a password, and opened for the device alone.
extension Operations {
    func seal(
        _ input: JSONValue, operation: OperationID, of tenant: TenantID, in transaction: Transaction
    ) throws -> [UInt8]? {
        guard input != [:] else { return nil }
        return try keyRing.seal(
            Array(input.canonical.utf8), at: OperationsSchema.operationInput.place(tenant, row: operation),
            in: transaction)
    }

    func seal(_ input: JSONValue, task: TaskID, of tenant: TenantID, in transaction: Transaction) throws -> [UInt8]? {
        guard input != [:] else { return nil }
        return try keyRing.seal(
            Array(input.canonical.utf8), at: OperationsSchema.taskInput.place(tenant, row: task), in: transaction)
    }

    /// What a task brings its device: what its operation brings to all, with its own members laid over it.
    public func input(of task: PostedTask, in tenant: TenantID) async throws -> JSONValue {
        try await database.tenant(tenant).read { try input(of: task, in: tenant, $0) }
    }

    /// The same within a transaction.
    func input(of task: PostedTask, in tenant: TenantID, _ transaction: Transaction) throws -> JSONValue {
        let common = try input(of: task.operation, in: tenant, transaction)
        guard
            let sealed = try transaction.row("SELECT input FROM task WHERE tenant = $1 AND id = $2", task.id)?
                .blobIfAny(0)
        else { return common }
        let own = try JSONValue(
            parsing: keyRing.open(
                sealed, at: OperationsSchema.taskInput.place(tenant, row: task.id), in: transaction))
        return Self.laid(own, over: common)
    }

    private static func laid(_ own: JSONValue, over common: JSONValue) -> JSONValue {
        guard case .object(var members) = common, case .object(let above) = own else { return own }
        members.merge(above) { $1 }
        return .object(members)
    }

    /// Makes what the tasks of an order bring each device alone, the first of which is the `first`th; what a list says of a
    /// device goes before it.
    func fill(
        _ order: OperationOrder, _ devices: inout [(id: DeviceID, input: JSONValue?)], from first: Int,
        in transaction: Transaction
    ) throws {
        do {
            guard let document = try GeneratedDocument(order.input, at: "/input") else { return }
            let numbered = devices.enumerated().map { (id: $1.id, number: first + $0) }
            let made = try fleet.members(of: document, for: numbered, in: transaction)
            for (index, device) in devices.enumerated() {
                guard let own = made[device.id] else { continue }
                let input = device.input.map { Self.laid($0, over: own) } ?? own
                if let wrong = OperationOrder.wrong(input) {
                    throw Refusal.faulty(
                        "operation.invalid", "The operation", [.init(place: "/input", message: wrong)])
                }
                devices[index].input = input
            }
        } catch let error as GeneratedDocument.Faults {
            throw Refusal.faulty("operation.invalid", "The operation", error.faults)
        }
    }

    /// Refuses custom tasks that bring what the models of their devices do not know.
    func requireFit(
        _ input: JSONValue, of devices: [(id: DeviceID, input: JSONValue?)], in transaction: Transaction
    ) throws {
        let models = try fleet.models(of: devices.map(\.id), in: transaction)
        var checked: Set<ModelID> = []
        for device in devices {
            guard let model = models[device.id], let schema = model.customTaskSchema else { continue }
            // What is the same for all devices of a model is looked at once.
            if device.input == nil, !checked.insert(model.id).inserted { continue }
            let faults = schema.faults(of: device.input.map { Self.laid($0, over: input) } ?? input, at: "/input")
            guard faults.isEmpty else {
                throw Refusal.faulty("operation.invalid", "The custom task for \(model.name)", faults)
            }
        }
    }

    /// What an operation brings to all its devices.
    func input(
        of operation: OperationID, in tenant: TenantID, _ transaction: Transaction
    ) throws -> JSONValue {
        let row = try transaction.row("SELECT input FROM operation WHERE tenant = $1 AND id = $2", operation)
        guard let sealed = try row?.blobIfAny(0) else { return [:] }
        return try JSONValue(
            parsing: keyRing.open(
                sealed, at: OperationsSchema.operationInput.place(tenant, row: operation), in: transaction))
    }
}
