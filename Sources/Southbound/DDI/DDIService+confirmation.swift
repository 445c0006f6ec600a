import Base
import Fleet
import Operations

/// Installs that need the device's word before it has them (`confirmationBase`).
extension DDIService {
    /// What the device says of its own consent, and what waits for it.
    func confirmations(_ request: DDIRequest) -> Answer {
        let device = request.device.device
        let confirm = operations.autoConfirm(of: device)
        var active: [String: JSONValue] = ["active": .bool(confirm != nil)]
        if let confirm {
            active["activatedAt"] = .integer(confirm.activated.microseconds / 1000)
            if !confirm.initiator.isEmpty { active["initiator"] = .string(confirm.initiator) }
            if !confirm.remark.isEmpty { active["remark"] = .string(confirm.remark) }
        }
        let next = operations.board.next(for: device, of: .install)
        let waiting = next.flatMap { operations.waitsForConfirmation($0, of: device) ? $0.number : nil }
        return Self.json(
            request.documents.confirmations(
                active: .object(active), isActive: confirm != nil, waiting: waiting), request)
    }

    /// What the device is asked about.
    func confirmation(_ number: Int64, _ request: DDIRequest) async throws -> Answer {
        guard let task = waiting(number, request.device) else { return try await missing(number, request.device) }
        let release = try await release(of: task, request.device)
        return Self.json(request.documents.deployment(number, release, as: "confirmation"), request)
    }

    /// Keeps what the device answers: it has the task then, or does not want it.
    func take(
        _ answer: DDIConfirmation, of number: Int64, from device: AdmittedDevice
    ) async throws -> Answer {
        // The same answer once more says nothing new, whatever became of the task since.
        if waiting(number, device) == nil {
            guard let known = try await operations.task(number, of: device) else { throw Self.foreign }
            guard known.task.state.isOpen else {
                if !answer.isConfirmed, known.task.state == .refused { return Self.taken }
                throw Self.closed
            }
            guard answer.isConfirmed, known.task.state != .queued else { throw Self.unknown }
            return Self.taken
        }
        try await keep(
            TaskFeedback(
                answer.isConfirmed ? .taken : .refused, of: number, from: device,
                word: answer.isConfirmed ? "confirmed" : "denied", code: answer.code, details: answer.details))
        return Self.taken
    }

    /// A task about which the device is asked now; nil when it is another one's turn, or held.
    private func waiting(_ number: Int64, _ device: AdmittedDevice) -> PostedTask? {
        guard let task = operations.board.task(number, of: device.device),
            operations.waitsForConfirmation(task, of: device.device),
            operations.board.isOffered(task, to: device.device)
        else { return nil }
        return task
    }
}

/// A device's wish to agree to every install; the body may be left out.
struct AutoConfirmWish: Hashable, Sendable {
    let initiator: String
    let remark: String

    /// The wish in a body; throws what is wrong with it.
    init(_ body: [UInt8]) throws(Refusal) {
        let json: JSONValue = try body.isEmpty ? [:] : DDIBody.object(body, "ddi.autoConfirm")
        initiator = try Self.text(json["initiator"], "initiator", Limits.initiatorBytes)
        remark = try Self.text(json["remark"], "remark", Limits.remarkBytes)
    }

    private static func text(_ value: JSONValue?, _ name: String, _ most: Int) throws(Refusal) -> String {
        guard let value, value != .null else { return "" }
        guard let text = value.string, text.utf8.count <= most, !text.utf8.contains(0) else {
            throw Refusal(.invalid, "ddi.autoConfirm", "\(name) is a text of at most \(most) bytes.")
        }
        return text
    }
}
