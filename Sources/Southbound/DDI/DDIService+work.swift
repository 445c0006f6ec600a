import Base
import Fleet
import Logging
import Operations

/// What is not a poll.
extension DDIService {
    func answer(_ request: DDIRequest, _ body: [UInt8]) async throws -> Answer {
        switch request.resource {
        case .poll: throw Self.unknown
        case .configData: return try await take(DDIAttributes(body), from: request.device)
        case .desired: return try await desired(request.device)
        case .reported: return try await take(reported: body, from: request.device)
        case .deployment(let number): return try await deployment(number, request)
        case .deploymentFeedback(let number): return try await take(DDIFeedback(body), of: number, from: request.device)
        case .cancel(let number):
            guard let task = operations.board.task(number, of: request.device.device), task.state == .cancelling else {
                return try await missing(number, request.device)
            }
            return Self.json(DDIDocuments.cancel(number), request)
        case .cancelFeedback(let number):
            return try await take(cancellation: DDIFeedback(body), of: number, from: request.device)
        case .installed(let number): return try await installed(number, request)
        case .installedByName: return try await take(DDIInstalled(body), from: request.device)
        case .confirmations: return confirmations(request)
        case .confirmation(let number): return try await confirmation(number, request)
        case .confirmationFeedback(let number):
            return try await take(DDIConfirmation(body), of: number, from: request.device)
        case .activateAutoConfirm:
            let wish = try AutoConfirmWish(body)
            try await operations.activateAutoConfirm(of: request.device, initiator: wish.initiator, remark: wish.remark)
            return Self.taken
        case .deactivateAutoConfirm:
            try await operations.deactivateAutoConfirm(of: request.device)
            return Self.taken
        case .artifacts(let number):
            return Self.json(request.documents.artifacts(number, try await release(number, request.device)), request)
        case .artifact(let number, let file):
            return try await send(try await artifact(number, file, request.device), request)
        case .checksum(let number, let file):
            let artifact = try await artifact(number, file, request.device)
            return Answer(status: .ok, contentType: "text/plain", body: DDIDocuments.checksum(artifact))
        }
    }

    // MARK: - Tasks

    /// What a task brings; with this it has been given out.
    private func deployment(_ number: Int64, _ request: DDIRequest) async throws -> Answer {
        guard let task = given(number, request.device), task.state != .cancelling else {
            return try await missing(number, request.device)
        }
        if task.state == .queued { try await keep(TaskFeedback(.taken, of: number, from: request.device)) }
        let release = try await release(of: task, request.device)
        guard request.history > 0 else { return Self.json(request.documents.deployment(number, release), request) }
        let known = try await operations.task(number, of: request.device, history: request.history)
        let history = known.map { ($0.task.state.name.uppercased(), $0.history.flatMap(\.details)) }
        return Self.json(request.documents.deployment(number, release, history: history), request)
    }

    /// An open task that the device has, or may have now: nobody takes what is held, or what it was not asked about yet,
    /// by its number alone.
    private func given(_ number: Int64, _ device: AdmittedDevice) -> PostedTask? {
        guard let task = operations.board.task(number, of: device.device),
            operations.board.isOffered(task, to: device.device),
            !operations.waitsForConfirmation(task, of: device.device)
        else { return nil }
        return task
    }

    /// What the device has installed with a task.
    private func installed(_ number: Int64, _ request: DDIRequest) async throws -> Answer {
        guard let (task, _) = try await operations.task(number, of: request.device) else { throw Self.foreign }
        guard task.state == .succeeded, let id = task.release,
            let release = try await operations.release(id, of: request.device.tenant)
        else { throw Self.unknown }
        // The files of what it installed last are still there for it.
        let isLast = operations.board.installed(on: request.device.device) == number
        return Self.json(request.documents.deployment(number, release, hasLinks: isLast), request)
    }

    private func take(_ feedback: DDIFeedback, of number: Int64, from device: AdmittedDevice) async throws -> Answer {
        let report = feedback.ofDeployment
        // Nobody can be at what it was not given.
        if let task = operations.board.task(number, of: device.device) {
            let isHeld = report == .progress && !operations.board.isOffered(task, to: device.device)
            if isHeld || operations.waitsForConfirmation(task, of: device.device) { throw Self.unknown }
        }
        try await keep(
            TaskFeedback(
                report, of: number, from: device, word: report == .progress ? feedback.execution.rawValue : nil,
                code: feedback.code, details: feedback.details))
        // It is another device now, and says so when it is asked.
        if report == .succeeded { attributes.remove(device.device) }
        return Self.taken
    }

    private func take(
        cancellation feedback: DDIFeedback, of number: Int64, from device: AdmittedDevice
    ) async throws -> Answer {
        let report = feedback.ofCancellation
        let task = operations.board.task(number, of: device.device)
        // That it goes on is known when nobody wants it ended any more.
        if let task, task.state != .cancelling, report != .goesOn { throw Self.notCancelling }
        try await keep(
            TaskFeedback(
                report, of: number, from: device, word: report == .progress ? feedback.execution.rawValue : nil,
                code: feedback.code, details: feedback.details))
        return Self.taken
    }

    func keep(_ words: TaskFeedback) async throws {
        counters.feedback.add()
        switch try await desk.feedback.keep(words) {
        // A refusal of what an earlier attempt says would help nobody, and some clients would repeat it for ever.
        case .kept, .former: break
        // Neither would one of how it really ended: SWUpdate repeats it every ten seconds for ever.
        case .late: counters.late.add()
        case .closed: throw Self.closed
        case .unknown: throw Self.foreign
        }
    }

    /// The answer about a task that is not open: one thing when it was the device's own, another when it never was.
    func missing(_ number: Int64, _ device: AdmittedDevice) async throws -> Answer {
        guard try await operations.task(number, of: device) != nil else { throw Self.foreign }
        throw Self.unknown
    }

    static let taken = Answer(status: .ok)

    /// Keeps that the device has a release that it got by another way, such as a technician's hand.
    private func take(_ told: DDIInstalled, from device: AdmittedDevice) async throws -> Answer {
        guard let isNew = try await operations.noteTold(told.name, told.version, by: device) else { throw Self.unknown }
        return isNew ? Answer(status: .created) : Self.taken
    }

    // MARK: - Attributes

    private func take(_ told: DDIAttributes, from device: AdmittedDevice) async throws -> Answer {
        let report = DeviceReport(told.report, of: device, received: clock.now)
        switch try await desk.reports.keep(report) {
        case .refused(let refusal): throw refusal
        case .kept, .documents:
            attributes.insert(device.device)
            return Self.taken
        }
    }

    // MARK: - Artifacts

    /// The release whose files a device may have: that of an open task that it has or may have now, or of the one with
    /// which it installed something last.
    private func release(_ number: Int64, _ device: AdmittedDevice) async throws -> Release {
        if let task = given(number, device) { return try await release(of: task, device) }
        guard let (task, _) = try await operations.task(number, of: device) else { throw Self.foreign }
        guard task.state == .succeeded, operations.board.installed(on: device.device) == number, let id = task.release,
            let release = try await operations.release(id, of: device.tenant)
        else { throw Self.unknown }
        return release
    }

    /// The release that an open task brings.
    func release(of task: PostedTask, _ device: AdmittedDevice) async throws -> Release {
        guard task.type == .install, let id = task.release else { throw Self.unknown }
        guard let release = try await operations.release(id, of: device.tenant) else {
            logger.error("a task's release is not there", metadata: ["task": "\(task.id)", "release": "\(id)"])
            throw Self.unknown
        }
        return release
    }

    private func artifact(_ number: Int64, _ file: String, _ device: AdmittedDevice) async throws -> Artifact {
        guard let artifact = try await release(number, device).artifacts.first(where: { $0.name == file }) else {
            throw Self.unknown
        }
        return artifact
    }
}
