import Base
import Bus
public import Fleet
import Storage

/// What a device says of a task.
public struct TaskFeedback: Sendable, Hashable {
    /// How the task stands, in the device's words.
    public enum Report: Sendable, Hashable {
        /// It has got the task.
        case taken
        /// It is at it.
        case progress
        /// It is done.
        case succeeded
        /// It could not do it.
        case failed
        /// It does not want to do it.
        case refused
        /// It has ended it, as somebody wanted.
        case cancelled
        /// It can not end it any more, and goes on.
        case goesOn
    }

    /// Who says it.
    public let device: AdmittedDevice
    /// The number under which it got the task.
    public let number: Int64
    /// How the task stands.
    public let report: Report
    /// The word that the history keeps, where the protocol has a finer one.
    public let word: String?
    /// A number that the device gives with it.
    public let code: Int64?
    /// What the device says beside it.
    public let details: [String]

    /// What a device says of the task that it knows by this number.
    public init(
        _ report: Report, of number: Int64, from device: AdmittedDevice, word: String? = nil, code: Int64? = nil,
        details: [String] = []
    ) {
        self.report = report
        self.number = number
        self.device = device
        self.word = word
        self.code = code
        self.details = details.prefix(OperationLimits.details).map { Self.cut($0, to: OperationLimits.detailBytes) }
    }
}

extension TaskFeedback {
    /// The beginning of a text that has at most so many bytes of UTF-8, and no half of a scalar at its end.
    static func cut(_ text: String, to bytes: Int) -> String {
        guard text.utf8.count > bytes else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: bytes)
        while end > text.utf8.startIndex, String.Index(end, within: text.unicodeScalars) == nil {
            end = text.utf8.index(before: end)
        }
        return String(text.unicodeScalars[..<end])
    }
}

/// What became of a device's words.
public enum FeedbackOutcome: Sendable, Hashable {
    /// They are kept, or say what is known already.
    case kept
    /// The task is over, and the device says that it is still at it.
    case closed
    /// The task is over, in another way than the device says; the history has what it says.
    case late
    /// They say that an attempt goes on which is over; the history has them, and nothing follows from them.
    case former
    /// The device has no such task.
    case unknown
}

extension Operations {
    /// Keeps what devices say of their tasks, all in one transaction, in their order.
    ///
    /// The same words again change nothing, so that a device may repeat what it got no answer to, however late.
    public func take(_ feedback: [TaskFeedback]) async throws -> [FeedbackOutcome] {
        let now = clock.now
        return try await database.platform.write { [board, bus] transaction in
            var writers: [TenantID: TaskWriter] = [:]
            var outcomes: [FeedbackOutcome] = []
            var late: [TenantID: [DeviceTask]] = [:]
            for one in feedback {
                let tenant = one.device.tenant
                var writer = writers[tenant] ?? TaskWriter(transaction, tenant: tenant, at: now)
                outcomes.append(try Self.take(one, &writer, late: &late[tenant, default: []], at: now))
                writers[tenant] = writer
            }
            for (_, writer) in writers.sorted(by: { $0.key < $1.key }) {
                try writer.finish(board, bus)
                try noteInstalled(writer, late: late[writer.tenant] ?? [])
                try reopenRolledBack(after: writer)
            }
            return outcomes
        }
    }

    private static func take(
        _ feedback: TaskFeedback, _ writer: inout TaskWriter, late: inout [DeviceTask], at now: Timestamp
    ) throws -> FeedbackOutcome {
        guard let task = try TaskStore.find(number: feedback.number, in: writer.transaction),
            task.device == feedback.device.device
        else { return .unknown }
        if task.number != feedback.number { return try takeLate(feedback, of: task, &writer, at: now) }
        let event: TaskEvent =
            switch feedback.report {
            case .taken: .taken
            case .progress: .began
            case .succeeded: .ended(nil)
            case .failed: .ended(.failed)
            case .refused: .ended(.refused)
            case .cancelled: .gaveUp
            case .goesOn: .goesOn
            }
        if feedback.report == .succeeded, task.state == .cancelled,
            try TaskStore.lastWord(of: task.id, in: writer.transaction) == TaskEvent.unanswered,
            try takeDone(feedback, of: task, &writer)
        {
            return .kept
        }
        if try writer.step(task, event, word: feedback.word, code: feedback.code, details: feedback.details) != nil {
            return .kept
        }
        if task.state.isOpen {
            // Nothing new about its state, yet what it says beside it is worth keeping.
            if !feedback.details.isEmpty {
                try TaskStore.note(
                    feedback.word ?? task.state.name, code: feedback.code, details: feedback.details, of: task.id,
                    at: now, in: writer.transaction)
            }
            return .kept
        }
        if feedback.report.agrees(with: task.state) { return .kept }
        guard feedback.report.isEnd else { return .closed }
        // Nobody undoes what was counted already, but what the device has now is known.
        try noteLate(feedback, of: task, &writer, at: now)
        if feedback.report == .succeeded, task.release != nil { late.append(task) }
        return .late
    }

    /// Keeps late words in the history, once however often they come.
    private static func noteLate(
        _ feedback: TaskFeedback, of task: DeviceTask, _ writer: inout TaskWriter, at now: Timestamp
    ) throws {
        let word = "late: \(feedback.word ?? "\(feedback.report)")"
        let last = try writer.transaction.row(
            "SELECT word, details FROM task_status WHERE tenant = $1 AND task = $2 ORDER BY sequence DESC LIMIT 1",
            task.id)
        let details = JSONValue.array(feedback.details.map { .string($0) }).canonical
        if let last, try last.text(0) == word, try last.text(1) == details { return }
        try TaskStore.note(
            word, code: feedback.code, details: feedback.details, of: task.id, at: now, in: writer.transaction)
    }

    /// Takes words about an attempt that is over: that it succeeded after all spares the next one, unless the device has
    /// begun that; all else is history. How it ended may be repeated however often; who is still at it can be told.
    private static func takeLate(
        _ feedback: TaskFeedback, of task: DeviceTask, _ writer: inout TaskWriter, at now: Timestamp
    ) throws -> FeedbackOutcome {
        if feedback.report == .succeeded, !task.state.isWithDevice,
            try writer.step(
                task, .ended(nil), word: feedback.word, code: feedback.code, details: feedback.details) != nil
        {
            return .kept
        }
        if feedback.report == .succeeded, task.state == .cancelled,
            try TaskStore.lastWord(of: task.id, in: writer.transaction) == TaskEvent.unanswered,
            try takeDone(feedback, of: task, &writer)
        {
            return .kept
        }
        if task.state.isOpen {
            try noteLate(feedback, of: task, &writer, at: now)
        }
        return feedback.report == .taken || feedback.report == .progress ? .former : .kept
    }

    /// Takes that an install was done which somebody ended, and of which nobody knew how far it had come: nobody must
    /// take what the device has now for what it had before.
    private static func takeDone(
        _ feedback: TaskFeedback, of task: DeviceTask, _ writer: inout TaskWriter
    ) throws -> Bool {
        guard task.type == .install else { return false }
        return try writer.step(
            task, .wasDone, word: feedback.word, code: feedback.code, details: feedback.details) != nil
    }
}

extension TaskFeedback.Report {
    /// Whether it says how a task ended.
    fileprivate var isEnd: Bool {
        switch self {
        case .succeeded, .failed, .refused, .cancelled: true
        case .taken, .progress, .goesOn: false
        }
    }

    /// Whether a device that says this of a task that is over says what is known.
    fileprivate func agrees(with state: TaskState) -> Bool {
        switch self {
        case .succeeded: state == .succeeded
        case .failed: state == .failed || state == .timedOut
        case .refused: state == .refused
        case .cancelled: state == .cancelled
        case .taken, .progress, .goesOn: false
        }
    }
}
