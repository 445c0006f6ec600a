public import Access
import Audit
public import Base
import Bus
import Storage
public import Trust

extension Fleet {
    /// Keeps a device out until it is resumed: its credentials wait, its connections close.
    public func suspend(_ text: String, reason: String? = nil, in tenant: TenantID, by principal: Principal)
        async throws -> Device
    {
        try await change(text, .deviceManage, .suspended, reason, in: tenant, by: principal)
    }

    /// Lets a suspended device in again.
    public func resume(_ text: String, in tenant: TenantID, by principal: Principal) async throws -> Device {
        try await change(text, .deviceManage, nil, nil, in: tenant, by: principal)
    }

    /// Keeps a device out for good: certificates, access tokens and an unused enrolment token end, connections close.
    public func revoke(_ text: String, reason: String? = nil, in tenant: TenantID, by principal: Principal)
        async throws -> Device
    {
        try await change(text, .deviceRevoke, .revoked, reason, in: tenant, by: principal)
    }

    /// Deletes a device: its credentials end, its hardware identifiers are free again, its name too. Its readings stay
    /// until retention removes them, under its identifier.
    public func delete(_ text: String, in tenant: TenantID, by principal: Principal) async throws {
        let reference = try Self.reference(text)
        try await writing(tenant) { transaction in
            let device = try device(reference, of: tenant, for: principal, .deviceRevoke, in: transaction)
            try access.proof.require(principal, for: .certificates, in: transaction)
            _ = try certificates.revokeAll(
                of: device.id, tenant: tenant, reason: .cessationOfOperation, in: transaction)
            try HardwareClaims.releaseAll(of: device.id, in: transaction)
            try access.forgetDevice(device.id, tenant: tenant, by: principal, in: transaction)
            try DeviceStore.delete(device, in: transaction)
            try record(
                .deviceDeleted, device, of: tenant, by: principal.actor(in: tenant),
                details: [
                    "name": .string(device.name.text), "identifiers": DeviceJSON.identifiers(device.identifiers),
                ], in: transaction)
            let id = device.id
            transaction.afterCommit { [directory, bus, presence] in
                directory.change { $0.remove(id) }
                bus.publish(DeviceAccessEnded(tenant: tenant, device: id, fingerprint: nil, reason: .deleted))
                bus.publish(DeviceChanged(tenant: tenant, device: id, change: .deleted))
                presence.forget(id)
            }
        }
    }

    /// Puts a new unit in a broken device's place: name, domain, labels and series stay, identifiers and credentials
    /// are the new unit's. The old unit's credentials end at once; its identifiers are kept as history and stay
    /// claimed, so that nobody else can register the broken unit, while the tenant itself can once it is repaired.
    public func replace(
        _ text: String, identifiers: [HardwareIdentifier], in tenant: TenantID, by principal: Principal,
        tokenLife: Duration? = nil
    ) async throws -> RegisteredDevice {
        let reference = try Self.reference(text)
        let life = try EnrolmentTokens.life(tokenLife)
        return try await writing(tenant) { transaction in
            let old = try device(reference, of: tenant, for: principal, .deviceManage, in: transaction)
            let now = clock.now
            var device = old
            device.identifiers = identifiers.sorted()
            device.components = [:]
            device.status = .registered
            device.enrolled = nil
            device.changed = now
            device.revision += 1
            let faults = device.faults
            guard faults.isEmpty else { throw Refusal.faulty("device.invalid", "The new unit", faults) }
            let added = device.identifiers.filter { !old.identifiers.contains($0) }
            let retired = try checkHardware(added, of: tenant, in: transaction)
            try HardwareClaims.retire(
                old.identifiers.filter { !device.identifiers.contains($0) }, of: old.id, at: now, in: transaction)
            try HardwareClaims.claim(
                added.map { ($0, device.id) }, tenant: tenant, at: now, takingOver: retired, in: transaction)
            try endCredentials(of: device, tenant: tenant, reason: .superseded, in: transaction)
            try DeviceStore.update(device, from: old, in: transaction)
            try DocumentStore.clearReported(of: device.id, at: now, in: transaction)
            let tokens = try EnrolmentTokens.issue(to: [device], life: life, at: now, areNew: false, in: transaction)
            guard let token = tokens.first else { throw Fleet.unknown }
            try record(
                .deviceReplaced, device, of: tenant, by: principal.actor(in: tenant),
                details: [
                    "old": DeviceJSON.identifiers(old.identifiers), "new": DeviceJSON.identifiers(device.identifiers),
                ], in: transaction)
            announce(device, of: tenant, .status, in: transaction)
            announceEnd(of: device, of: tenant, .replaced, in: transaction)
            return RegisteredDevice(device: device, token: token)
        }
    }

    /// Ends one certificate of a device before its time; connections made with it close.
    public func endCertificate(
        _ fingerprint: Fingerprint, of text: String, reason: RevocationReason = .unspecified, in tenant: TenantID,
        by principal: Principal
    ) async throws {
        let reference = try Self.reference(text)
        try await writing(tenant) { transaction in
            let device = try device(reference, of: tenant, for: principal, .deviceRevoke, in: transaction)
            try access.proof.require(principal, for: .certificates, in: transaction)
            guard try certificates.find(fingerprint, of: tenant, in: transaction)?.device == device.id else {
                throw Refusal(.notFound, "certificate.unknown", "The device has no such certificate.")
            }
            // One that has ended already is what the caller wanted.
            guard try certificates.revoke(fingerprint, of: tenant, reason: reason, in: transaction) else { return }
            try record(
                .deviceCertificateEnded, device, of: tenant, by: principal.actor(in: tenant),
                details: ["fingerprint": .string(fingerprint.text), "reason": .string(reason.rawValue)],
                in: transaction)
            announceEnd(of: [fingerprint], device.id, tenant, in: transaction)
        }
    }

    /// A status change; `nil` stands for resuming. A device that is there already is left alone, so that a repeated
    /// command does no harm.
    private func change(
        _ text: String, _ permission: Permission, _ wanted: DeviceStatus?, _ reason: String?, in tenant: TenantID,
        by principal: Principal
    ) async throws -> Device {
        let reference = try Self.reference(text)
        if let reason, !PlainText.isPlain(reason, limit: FleetLimits.placeBytes) {
            throw Refusal(
                .invalid, "device.invalid", "A reason is text of at most \(FleetLimits.placeBytes) bytes.",
                faults: [Refusal.Fault(place: "/reason", message: "is too long or has control characters")])
        }
        return try await writing(tenant) { transaction in
            try change(reference, permission, wanted, reason, in: tenant, by: principal, transaction)
        }
    }

    /// The same in the caller's transaction.
    func change(
        _ reference: DeviceReference, _ permission: Permission, _ wanted: DeviceStatus?, _ reason: String?,
        in tenant: TenantID, by principal: Principal, _ transaction: Transaction
    ) throws -> Device {
        let old = try device(reference, of: tenant, for: principal, permission, in: transaction)
        let status = wanted ?? (old.enrolled == nil ? .registered : .active)
        guard status != old.status else { return old }
        if wanted == .revoked { try access.proof.require(principal, for: .certificates, in: transaction) }
        if old.status == .revoked || wanted == nil && old.status != .suspended {
            guard old.status == .revoked else { return old }
            throw Refusal(
                .conflict, "device.revoked",
                "The device is revoked for good; put a new unit in its place or delete it.")
        }
        var device = old
        device.status = status
        device.changed = clock.now
        device.revision += 1
        if status == .revoked {
            try endCredentials(of: device, tenant: tenant, reason: .privilegeWithdrawn, in: transaction)
        }
        try DeviceStore.update(device, from: old, in: transaction)
        var details: [String: JSONValue] = ["from": .string(old.status.rawValue), "to": .string(status.rawValue)]
        details["reason"] = reason.map { .string($0) }
        let code: AuditCode =
            switch status {
            case .suspended: .deviceSuspended
            case .revoked: .deviceRevoked
            case .registered, .active: .deviceResumed
            }
        try record(
            code, device, of: tenant, by: principal.actor(in: tenant), details: .object(details), in: transaction)
        announce(device, of: tenant, .status, in: transaction)
        switch status {
        case .suspended: announceEnd(of: device, of: tenant, .suspended, in: transaction)
        case .revoked: announceEnd(of: device, of: tenant, .revoked, in: transaction)
        case .registered, .active: break
        }
        return device
    }

    /// Ends every credential of a device, and an unused enrolment token.
    private func endCredentials(
        of device: Device, tenant: TenantID, reason: RevocationReason, in transaction: Transaction
    ) throws {
        let ended = try certificates.revokeAll(of: device.id, tenant: tenant, reason: reason, in: transaction)
        let tokens = try AccessTokens.deleteAll(of: device.id, in: transaction)
        try EnrolmentTokens.withdraw(device.id, in: transaction)
        let id = device.id
        transaction.afterCommit { [directory] in directory.change { $0.end(ended + tokens, of: id) } }
    }

    /// Takes certificates out of the directory and tells whoever holds connections made with them.
    func announceEnd(
        of fingerprints: [Fingerprint], _ device: DeviceID, _ tenant: TenantID, in transaction: Transaction
    ) {
        guard !fingerprints.isEmpty else { return }
        transaction.afterCommit { [directory, bus] in
            directory.change { $0.end(fingerprints, of: device) }
            for fingerprint in fingerprints {
                bus.publish(
                    DeviceAccessEnded(
                        tenant: tenant, device: device, fingerprint: fingerprint, reason: .credentialEnded))
            }
        }
    }
}
