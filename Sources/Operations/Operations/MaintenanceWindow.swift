public import Access
public import Base

/// A time of the week in which work is given out: from one time of day to another, on some days, on the clocks of a place.
///
/// A window that ends before it begins goes on past midnight, and belongs to the day on which it began.
public struct MaintenanceWindow: Sendable, Hashable {
    /// The days of the week on which it begins, Monday first.
    public static let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    /// On which days it begins, each from 0 (Monday) to 6.
    public let days: Set<Int>
    /// The minute of the day at which it begins.
    public let from: Int
    /// The minute of the day at which it ends; the same minute is a whole day.
    public let to: Int
    /// On whose clocks.
    public let zone: TimeZoneName

    /// The window that an object describes: `{"days": ["sat", "sun"], "from": "22:00", "to": "04:00", "zone": "Europe/Berlin"}`.
    /// Without days it is every day, without a zone UTC.
    public init(_ json: JSONValue) throws(Refusal) {
        guard case .object(let members) = json else { throw Self.wrong("/", "must be an object") }
        if let odd = members.keys.sorted().first(where: { !["days", "from", "to", "zone"].contains($0) }) {
            throw Self.wrong("/\(odd)", "is no member of a window")
        }
        var days = Set(0..<7)
        if let given = json["days"] {
            guard case .array(let names) = given, !names.isEmpty else {
                throw Self.wrong("/days", "must be a list of days")
            }
            days = []
            for name in names {
                guard let day = name.string.flatMap({ Self.days.firstIndex(of: $0) }) else {
                    throw Self.wrong("/days", "each is one of \(Self.days.joined(separator: ", "))")
                }
                days.insert(day)
            }
        }
        guard let from = json["from"]?.string.flatMap(Self.minute), let to = json["to"]?.string.flatMap(Self.minute)
        else { throw Self.wrong("/from", "from and to are times of day such as 22:30") }
        guard let zone = TimeZoneName(json["zone"]?.string ?? "UTC"), json["zone"] == nil || json["zone"]?.string != nil
        else { throw Self.wrong("/zone", "must be a time zone such as Europe/Berlin") }
        (self.days, self.from, self.to, self.zone) = (days, from, to, zone)
    }

    /// The window as an object.
    public var json: JSONValue {
        [
            "days": .array(days.sorted().map { .string(Self.days[$0]) }), "from": .string(Self.text(from)),
            "to": .string(Self.text(to)), "zone": .string(zone.text),
        ]
    }

    /// Whether a moment lies in it.
    public func contains(_ moment: Timestamp) -> Bool {
        let local = moment.microseconds / 1_000_000 + zone.offset(at: moment)
        let minute = Int((local % 86_400 + 86_400) % 86_400 / 60)
        // The first of January 1970 was a Thursday.
        let day = Int(((local - Int64(minute) * 60) / 86_400 % 7 + 7 + 3) % 7)
        if from < to { return days.contains(day) && (from..<to).contains(minute) }
        return days.contains(day) && minute >= from || days.contains((day + 6) % 7) && minute < to
    }

    /// The first moment from this one on that lies in it, to the minute.
    func opening(from moment: Timestamp) -> Timestamp {
        guard !contains(moment) else { return moment }
        let local = moment.microseconds / 1_000_000 + zone.offset(at: moment)
        let midnight = local - (local % 86_400 + 86_400) % 86_400
        // Nine days, because clocks that are set forward may leave its beginning out once.
        let beginnings = (0...8).lazy.map { day in
            zone.moment(showing: Timestamp(microseconds: (midnight + day * 86_400 + Int64(from) * 60) * 1_000_000))
        }
        return beginnings.first { $0 >= moment && contains($0) } ?? moment
    }

    private static func minute(_ text: String) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard text.utf8.count == 5, parts.count == 2,
            parts.allSatisfy({ $0.utf8.count == 2 && $0.allSatisfy(\.isNumber) }),
            let hours = Int(parts[0]), let minutes = Int(parts[1]), (0..<24).contains(hours), (0..<60).contains(minutes)
        else { return nil }
        return hours * 60 + minutes
    }

    private static func text(_ minute: Int) -> String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(minute / 60)):\(two(minute % 60))"
    }

    private static func wrong(_ place: String, _ message: String) -> Refusal {
        Refusal(
            .invalid, "operation.window", "A maintenance window is not well described: \(place) \(message).",
            faults: [.init(place: "/terms/windows\(place)", message: message)])
    }
}

extension OperationTerms {
    /// Whether tasks may be given out at a moment.
    public func isOpen(at moment: Timestamp) -> Bool { windows.isEmpty || windows.contains { $0.contains(moment) } }

    /// The first moment from this one on at which tasks may be given out.
    func opening(from moment: Timestamp) -> Timestamp {
        windows.lazy.map { $0.opening(from: moment) }.min() ?? moment
    }
}
