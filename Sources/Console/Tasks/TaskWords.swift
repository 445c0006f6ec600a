import Operations

extension TaskType {
    /// What it asks, in a few words.
    var label: String {
        switch self {
        case .reboot: "Start again"
        case .synchronise: "Report everything anew"
        case .configure: "Follow the desired document"
        case .configureCommunication: "Change communication settings"
        case .changeSecret: "Take a new secret"
        case .install: "Install a release"
        case .rotateKeys: "Make new keys"
        case .renewCertificate: "Renew the certificate"
        case .collectLogs: "Send logs"
        case .runDiagnostic: "Run a diagnostic"
        case .wake: "Call in at once"
        case .sendSMS: "Send a text message"
        case .custom: "A task of the model's own"
        }
    }
}

extension TaskState {
    /// The word on screens.
    var label: String {
        switch self {
        case .waiting: "Waiting"
        case .queued: "Queued"
        case .offered: "Offered"
        case .running: "Running"
        case .cancelling: "To be ended"
        case .succeeded: "Succeeded"
        case .failed: "Failed"
        case .timedOut: "Timed out"
        case .cancelled: "Ended"
        case .refused: "Refused"
        case .expired: "Expired"
        }
    }

    var badge: Badge {
        switch self {
        case .waiting, .queued, .cancelled: .off(label)
        case .offered, .running, .cancelling: .warning(label)
        case .succeeded: .good(label)
        case .failed, .timedOut, .refused, .expired: .critical(label)
        }
    }
}

extension Operation {
    var badge: Badge {
        let hasFailures = counts.contains { $0.key.isFailure && $0.value > 0 }
        switch state {
        case .preparing: return .off("Being prepared")
        case .running: return .good("Under way")
        case .paused: return .warning("Paused")
        case .finished: return hasFailures ? .critical("Finished, with failures") : .good("Finished")
        case .cancelled: return .off("Ended early")
        }
    }

    /// How many tasks are over, in words.
    var progress: String { "\(ended.grouped) of \(total.grouped) over" }

    /// What stands in a bar of a thousand: done, failed, under way; the rest waits.
    var meter: [OverviewPage.Part] {
        let groups: [(String, (TaskState) -> Bool)] = [
            ("ok", { $0 == .succeeded }), ("critical", \.isFailure), ("warning", \.isWithDevice),
        ]
        var from = 0
        return groups.map { shape, belongs in
            let tasks = counts.reduce(0) { $0 + (belongs($1.key) ? $1.value : 0) }
            let length = tasks * 1000 / max(total, 1)
            defer { from += length }
            return OverviewPage.Part(shape: shape, from: from, length: length)
        }
    }
}
