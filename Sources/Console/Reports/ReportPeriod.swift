import Access
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

    /// When it goes, as clocks show it.
    static let hour = "06:00"

    /// The next moment after `now` at which it is six in the morning of its day in a time zone; UTC's when nil.
    func next(after now: Timestamp, in zone: TimeZoneName?) -> Timestamp {
        let shown = now + .seconds(zone?.offset(at: now) ?? 0)
        var day = shown.microseconds.flooredDivision(by: Self.day)
        while true {
            let local = Timestamp(microseconds: day * Self.day) + .seconds(6 * 3600)
            let morning = zone?.moment(showing: local) ?? local
            if isDay(day), morning > now { return morning }
            day += 1
        }
    }

    private static let day: Int64 = 86_400 * 1_000_000

    private func isDay(_ day: Int64) -> Bool {
        switch self {
        case .daily: true
        // The first day of 1970 was a Thursday.
        case .weekly: (day + 3).isMultiple(of: 7)
        case .monthly: Timestamp(microseconds: day * Self.day).date.day == 1
        }
    }
}
