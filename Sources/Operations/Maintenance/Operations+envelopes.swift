import Base
public import Fleet
import Storage
import Trust

/// Handing work out, signed.
extension Operations {
    /// The tasks that devices want, each signed for its device; for each request those that it may still have.
    ///
    /// With this they have been given out: their time runs. It is one transaction for all that are new, and one for each
    /// tenant; nothing is written when nothing is new.
    public func handOut(_ requests: [EnvelopeRequest]) async throws -> [[DeviceEnvelope]] {
        let taken = requests.flatMap { request in
            request.tasks.filter { $0.state == .queued }.map {
                TaskFeedback(.taken, of: $0.number, from: request.device)
            }
        }
        if !taken.isEmpty { _ = try await take(taken) }
        var envelopes = Array(repeating: [DeviceEnvelope](), count: requests.count)
        for (tenant, indices) in Dictionary(grouping: requests.indices, by: { requests[$0].device.tenant }) {
            let count = indices.reduce(0) { $0 + requests[$1].tasks.count }
            guard count > 0 else { continue }
            let releases = try await releases(broughtBy: indices.flatMap { requests[$0].tasks }, of: tenant)
            var (signer, sequence) = try await signing(count, of: tenant)
            let contents = try await database.tenant(tenant).read { transaction in
                try indices.map { try self.contents(of: requests[$0], releases, in: tenant, transaction) }
            }
            for (index, contents) in zip(indices, contents) {
                for content in contents {
                    envelopes[index].append(
                        try sign(content, for: requests[index].device, sequence: sequence, signer))
                    sequence += 1
                }
            }
        }
        return envelopes
    }

    /// What a device is wanted to be, signed for it.
    public func envelope(desired document: DeviceDocument, for device: AdmittedDevice) async throws -> DeviceEnvelope {
        let (signer, sequence) = try await signing(1, of: device.tenant)
        let members: [String: JSONValue] = [
            "version": .integer(document.version), "document": .object(document.told),
        ]
        let expires = clock.now + OperationLimits.desiredLife
        let json = try Self.seal(
            members, for: device, expires: expires, sequence: sequence, signer, type: "tidegate-desired+jws")
        return DeviceEnvelope(json: json, number: nil, type: nil, isCancel: false, expires: expires)
    }

    /// The releases that tasks bring, from memory after the first time.
    private func releases(
        broughtBy tasks: [PostedTask], of tenant: TenantID
    ) async throws -> [ReleaseID: Release] {
        var found: [ReleaseID: Release] = [:]
        for id in Set(tasks.compactMap(\.release)) { found[id] = try await release(id, of: tenant) }
        return found
    }

    private func contents(
        of request: EnvelopeRequest, _ releases: [ReleaseID: Release], in tenant: TenantID,
        _ transaction: Transaction
    ) throws -> [EnvelopeContent] {
        let latest = clock.now + OperationLimits.envelopeLife
        return try request.tasks.compactMap { posted in
            // It may have ended, or begun another attempt, since it was on the board.
            guard let task = try TaskStore.find(posted.id, in: transaction), task.number == posted.number,
                task.state.isWithDevice
            else { return nil }
            let isCancel = task.state == .cancelling
            let release = isCancel ? nil : task.release.flatMap { releases[$0] }
            // Without its files an install would be an order to do nothing.
            if !isCancel, task.type == .install, release == nil { return nil }
            let isRollback = try release != nil && RollbackGrant.has(task.operation, in: transaction)
            return EnvelopeContent(
                number: task.number, type: task.type, isCancel: isCancel, hasBegun: task.state == .running,
                asks: !isCancel && board.isAsked(task.operation) && autoConfirms.find(task.device) == nil,
                // Who is to end something needs no password for it.
                input: isCancel ? [:] : try input(of: posted, in: tenant, transaction),
                release: release.map {
                    EnvelopeContent.release($0, number: task.number, base: request.base, isRollback: isRollback)
                },
                expires: min(task.due, latest))
        }
    }

    private func sign(
        _ content: EnvelopeContent, for device: AdmittedDevice, sequence: Int64, _ signer: MaintenanceSigner
    ) throws -> DeviceEnvelope {
        var json = try Self.seal(
            content.members, for: device, expires: content.expires, sequence: sequence, signer,
            type: "tidegate-task+jws")
        if content.hasBegun, case .object(var members) = json {
            members["begun"] = true
            json = .object(members)
        }
        return DeviceEnvelope(
            json: json, number: content.number, type: content.type, isCancel: content.isCancel,
            expires: content.expires)
    }

    /// These members plainly, and signed with what binds them to the device.
    private static func seal(
        _ members: [String: JSONValue], for device: AdmittedDevice, expires: Timestamp, sequence: Int64,
        _ signer: MaintenanceSigner, type: String
    ) throws -> JSONValue {
        var payload = members
        payload["tenant"] = .string(device.tenantSlug.text)
        payload["device"] = .string(device.device.text)
        payload["sequence"] = .integer(sequence)
        payload["expires"] = .integer(expires.microseconds / 1_000_000)
        var plain = members
        plain["expires"] = .string(expires.rfc3339)
        plain["signed"] = .string(try signer.sign(.object(payload), type: type))
        return .object(plain)
    }
}
