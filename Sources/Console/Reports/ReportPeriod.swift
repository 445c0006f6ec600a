import Base

/// How often a report is mailed.
enum ReportPeriod: String, CaseIterable, Sendable {
    case daily, weekly, monthly

    var words: String {
        switch self {
        case .daily: "every day"
        case .weekly: "every Monday"
        case .monthly: "every first of a month"
        }
    }

    /// The next moment after `now`: six in the morning, UTC.
    func next(after now: Timestamp) -> Timestamp {
        let day: Int64 = 86_400 * 1_000_000
        var morning = Timestamp(microseconds: now.microseconds.flooredDivision(by: day) * day) + .seconds(6 * 3600)
        while morning <= now || !isDay(morning) { morning = morning + .seconds(86_400) }
        return morning
    }

    private func isDay(_ time: Timestamp) -> Bool {
        switch self {
        case .daily: true
        // The first day of 1970 was a Thursday.
        case .weekly: (time.microseconds.flooredDivision(by: 86_400 * 1_000_000) + 3).isMultiple(of: 7)
        case .monthly: time.rfc3339.dropFirst(8).hasPrefix("01")
        }
    }
}
