import Access
import Base

/// Times that people type into forms: as the clocks of the organisation show them, or UTC's when it has chosen no zone.
enum TypedTime {
    /// The zone's name, as forms say it.
    static var zone: String { Moment.zone?.text ?? "UTC" }

    /// The moment that a field of date and time holds; nil when it holds none.
    static func moment(_ text: String) -> Timestamp? {
        guard text.utf8.count == 16 || text.utf8.count == 19 else { return nil }
        return Timestamp(rfc3339: text + (text.utf8.count == 16 ? ":00Z" : "Z")).map(shown)
    }

    /// What a field of date and time holds for a moment.
    static func text(_ moment: Timestamp) -> String {
        String((moment + .seconds(Moment.zone?.offset(at: moment) ?? 0)).rfc3339.prefix(16))
    }

    /// When the day begins that a field names, or one of the days after it.
    static func day(_ text: String, after days: Int64 = 0) -> Timestamp? {
        guard text.utf8.count == 10 else { return nil }
        return Timestamp(rfc3339: text + "T00:00:00Z").map { shown($0 + .seconds(days * 86_400)) }
    }

    private static func shown(_ local: Timestamp) -> Timestamp { Moment.zone?.moment(showing: local) ?? local }
}
