import Access
import Audit
import Base
import SignIn

/// One entry of the log as a line of a list.
struct AuditRow: Sendable {
    let meaning: String
    let code: String
    let address: String
    let badge: Badge
    let start: Moment
    let end: Moment?
    let duration: String
    let who: String
    let company: String
    let subject: String
    let from: String
}

extension AuditRow {
    init(_ entry: RecordedEntry, _ words: AuditWords, _ names: AuditNames, list: String) {
        let span = AuditSpan(entry, names)
        meaning = words.meaning(entry.code)
        code = entry.code
        address = "\(list)/\(entry.index)"
        badge = Badge(entry, span)
        start = Moment(span.start)
        end = Moment(span.end)
        duration = span.words
        who = entry.actor.words
        company = names.company(entry.actor)
        subject = names.subject(entry.object)
        from = entry.actor.address ?? ""
    }
}

/// When what an entry tells of began and, where its kind has an end, when it ended.
struct AuditSpan: Sendable {
    let start: Timestamp
    let end: Timestamp?
    let isRunning: Bool

    init(_ entry: RecordedEntry, _ names: AuditNames) {
        if let end = names.end(entry) {
            // A sign-in lasts until its session ends.
            (start, self.end, isRunning) = (entry.time, end.time, end == .live)
        } else if let first = entry.details["first"]?.string.flatMap({ Timestamp(rfc3339: $0) }), first <= entry.time {
            // What was counted for a while, or took a while, is recorded at its end.
            (start, end, isRunning) = (first, entry.time, false)
        } else {
            (start, end, isRunning) = (entry.time, nil, false)
        }
    }

    /// How long it took; empty when it has no end.
    var words: String { end.map { Self.words($0 - start) } ?? "" }

    /// A length of time for people: its two largest units.
    static func words(_ length: Duration) -> String {
        let seconds = max(length.microseconds, 0) / 1_000_000
        let parts = [
            (seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s"),
        ]
        let shown = parts.drop { $0.0 == 0 }.prefix(2).filter { $0.0 > 0 }
        return shown.isEmpty ? "under 1 s" : shown.map { "\($0.0) \($0.1)" }.joined(separator: " ")
    }
}

extension Badge {
    /// How what an entry tells of went, or that it goes on.
    init(_ entry: RecordedEntry, _ span: AuditSpan) {
        self =
            switch entry.outcome {
            case .success: span.isRunning ? .off("Goes on") : .good("Done")
            case .denied: .warning("Denied")
            case .failed: .critical("Failed")
            }
    }
}

extension Actor {
    /// What pages call somebody.
    var words: String {
        switch kind {
        case .system: "The server: \(id)"
        case .unknown: "Nobody known"
        case .user, .client, .device: name.isEmpty ? id : name
        }
    }
}
