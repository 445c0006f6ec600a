public import Access
import Audit
public import Base
import Bus
import Storage
import Trust

extension Fleet {
    /// Registers all devices of a list, or none of them: one transaction, and every faulty line is named.
    public func registerMany(
        _ list: RegistrationList, in tenant: TenantID, by principal: Principal, tokenLife: Duration? = nil
    ) async throws -> RegisteredDevices {
        let life = try EnrolmentTokens.life(tokenLife)
        return try await writing(tenant) { transaction in
            let now = clock.now
            try checkQuota(adding: list.count, to: tenant)
            let devices = try resolve(list, of: tenant, by: principal, at: now, in: transaction)
            let retired = try checkTaken(list, of: tenant, in: transaction)
            try DeviceStore.insert(devices, in: transaction)
            try HardwareClaims.claim(
                devices.flatMap { device in device.identifiers.map { ($0, device.id) } }, tenant: tenant, at: now,
                takingOver: retired, in: transaction)
            let tokens = try EnrolmentTokens.issue(to: devices, life: life, at: now, areNew: true, in: transaction)
            try recordMany(devices, of: tenant, by: principal, in: transaction)
            if let first = devices.map(\.id).min() { try refreshDesired(.from(first), in: transaction) }
            let entries = devices.map { $0.entry(of: tenant) }
            let first = devices.map(\.id).min()
            transaction.afterCommit { [directory, bus] in
                directory.change { table in for entry in entries { table.put(entry) } }
                guard let first else { return }
                bus.publish(DevicesRegistered(tenant: tenant, count: entries.count, first: first))
            }
            return RegisteredDevices(
                devices: zip(devices, tokens).map { RegisteredDevices.Entry(id: $0.id, name: $0.name, token: $1.text) },
                tokensExpire: now + life)
        }
    }

    /// The list's devices with their domains and models, each of which the caller may use.
    private func resolve(
        _ list: RegistrationList, of tenant: TenantID, by principal: Principal, at now: Timestamp,
        in transaction: Transaction
    ) throws -> [Device] {
        var lookUp = ReferenceLookUp(fleet: self, tenant: tenant, principal: principal)
        var faults = RegistrationFaults(total: 0, named: [])
        var unknown: [String: String] = [:]
        var random = BufferedRandom()
        var devices: [Device] = []
        devices.reserveCapacity(list.count)
        for line in list.lines {
            // A wrong name is looked up once, however many lines have it.
            let key = "\(line.draft.domain ?? "")\n\(line.draft.model ?? "")"
            if let message = unknown[key] {
                faults.add(line.place, message)
                continue
            }
            do {
                let domain = try lookUp.domain(line.draft.domain, toManage: true, in: transaction)
                let model = try line.draft.model.map { try lookUp.model($0, in: transaction) }
                devices.append(
                    Device(line.draft, id: DeviceID(now: now, using: &random), domain: domain, model: model, now: now))
            } catch let refusal as Refusal where line.draft.domain != nil || refusal.kind == .invalid {
                unknown[key] = refusal.message
                faults.add(line.place, refusal.message)
            }
        }
        guard faults.total == 0 else { throw faults.refusal }
        return devices
    }

    /// Refuses lines whose name or hardware identifier is taken, and answers those identifiers that are the
    /// tenant's own retired ones.
    private func checkTaken(
        _ list: RegistrationList, of tenant: TenantID, in transaction: Transaction
    ) throws -> Set<HardwareIdentifier> {
        var faults = RegistrationFaults(total: 0, named: [])
        var takenNames: Set<String> = []
        var rest = list.lines[...]
        let size = 500
        let parameters = (0..<size).map { "$\($0 + 2)" }.joined(separator: ", ")
        while !rest.isEmpty {
            let chunk = rest.prefix(size)
            rest = rest.dropFirst(chunk.count)
            // Always the same number of parameters, so that one prepared statement serves; no device has no name.
            let names = chunk.map(\.draft.name.text) + Array(repeating: "", count: size - chunk.count)
            for row in try transaction.rows(
                "SELECT name FROM device WHERE tenant = $1 AND name IN (\(parameters))", arguments: names)
            { takenNames.insert(try row.text(0)) }
        }
        let standing = try HardwareClaims.standing(
            of: list.lines.flatMap(\.draft.identifiers), for: tenant, in: transaction)
        if !takenNames.isEmpty || !standing.taken.isEmpty {
            for line in list.lines {
                if takenNames.contains(line.draft.name.text) {
                    faults.add(line.place, "the tenant has a device called \(line.draft.name)")
                }
                for identifier in line.draft.identifiers where standing.taken.contains(identifier) {
                    faults.add(line.place, "\(identifier) is registered already")
                }
            }
            var refusal = faults.refusal
            refusal.kind = .conflict
            refusal.code = "devices.taken"
            throw refusal
        }
        return standing.retired
    }

    /// One entry for each few hundred devices, so that the log holds every identifier and still stays small.
    private func recordMany(
        _ devices: [Device], of tenant: TenantID, by principal: Principal, in transaction: Transaction
    ) throws {
        let actor = principal.actor(in: tenant)
        var rest = devices[...]
        var part: Int64 = 0
        while !rest.isEmpty {
            let chunk = rest.prefix(400)
            rest = rest.dropFirst(chunk.count)
            part += 1
            try audit.record(
                AuditEntry(
                    .devicesRegistered, tenant: tenant, actor: actor,
                    object: AuditObject(kind: "devices", id: chunk.first?.id.text ?? ""),
                    details: [
                        "count": .integer(Int64(devices.count)), "part": .integer(part),
                        "devices": .array(chunk.map { .string($0.id.text) }),
                    ]), in: transaction)
        }
    }
}
