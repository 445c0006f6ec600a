import Audit
public import Base
public import Fleet
import Storage
import Synchronization
import Trust

/// A device's word that it agrees to every install, until it takes that back.
public struct AutoConfirm: Sendable, Hashable {
    /// Who said so, as the device calls them.
    public let initiator: String
    /// What they said beside it.
    public let remark: String
    /// Since when.
    public let activated: Timestamp
}

/// The devices that agree to every install, in memory, so that a poll is answered without the database.
final class AutoConfirms: Sendable {
    private let all = Mutex<[DeviceID: AutoConfirm]>([:])

    func find(_ device: DeviceID) -> AutoConfirm? { all.withLock { $0[device] } }

    func set(_ confirm: AutoConfirm?, of device: DeviceID) { all.withLock { $0[device] = confirm } }
}

extension Operations {
    /// A device's word that it agrees to every install, if it has given that.
    public func autoConfirm(of device: DeviceID) -> AutoConfirm? { autoConfirms.find(device) }

    /// Whether a device is to be asked before it has this task.
    public func waitsForConfirmation(_ task: PostedTask, of device: DeviceID) -> Bool {
        board.asks(task) && autoConfirms.find(device) == nil
    }

    /// Keeps that a device agrees to every install from now on; refuses who has said so already.
    public func activateAutoConfirm(
        of device: AdmittedDevice, initiator: String, remark: String
    ) async throws {
        let confirm = AutoConfirm(initiator: initiator, remark: remark, activated: clock.now)
        try await database.tenant(device.tenant).write { transaction -> Void in
            let isNew =
                try transaction.execute(
                    """
                    INSERT INTO auto_confirm (tenant, device, initiator, remark, activated)
                    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant, device) DO NOTHING
                    """, device.device, initiator, remark, confirm.activated) > 0
            guard isNew else {
                throw Refusal(.conflict, "autoConfirm.active", "The device agrees to every install already.")
            }
            try record(.autoConfirmActivated, device, ["initiator": .string(initiator)], transaction)
            transaction.afterCommit { [autoConfirms] in autoConfirms.set(confirm, of: device.device) }
        }
    }

    /// Keeps that a device wants to be asked again; nothing changes when it was asked all the time.
    public func deactivateAutoConfirm(of device: AdmittedDevice) async throws {
        try await database.tenant(device.tenant).write { transaction -> Void in
            let was = try transaction.execute(
                "DELETE FROM auto_confirm WHERE tenant = $1 AND device = $2", device.device)
            if was > 0 { try record(.autoConfirmDeactivated, device, [:], transaction) }
            transaction.afterCommit { [autoConfirms] in autoConfirms.set(nil, of: device.device) }
        }
    }

    /// Reads what devices installed last, and which agree by themselves; call it before they can call.
    func loadInstalled() async throws {
        try await database.platform.read { [board, autoConfirms] transaction in
            let transaction = transaction.acrossTenants
            try transaction.forEach("SELECT device, number FROM last_install") { row in
                board.installed(try row.integer(1), on: try row.identifier(0))
            }
            try transaction.forEach("SELECT device, initiator, remark, activated FROM auto_confirm") { row in
                autoConfirms.set(
                    AutoConfirm(
                        initiator: try row.text(1), remark: try row.text(2), activated: try row.timestamp(3)),
                    of: try row.identifier(0))
            }
        }
    }

    private func record(
        _ code: AuditCode, _ device: AdmittedDevice, _ details: JSONValue, _ transaction: Transaction
    ) throws {
        try audit.record(
            AuditEntry(
                code, tenant: device.tenant, domain: device.domain,
                actor: Actor(
                    kind: .device, id: device.device.text, name: device.name.text,
                    credential: device.credential?.text ?? "access-token"),
                object: AuditObject(kind: "device", id: device.device.text), details: details),
            in: transaction)
    }
}
