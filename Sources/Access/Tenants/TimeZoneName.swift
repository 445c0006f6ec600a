public import Base
import Foundation

/// The name of a time zone that there is, as the IANA database has it: `Europe/Berlin`.
public struct TimeZoneName: Sendable, Hashable, CustomStringConvertible {
    /// The name.
    public let text: String

    /// The time zone of a name; nil when there is none.
    public init?(_ text: String) {
        guard Self.known.contains(text) else { return nil }
        self.text = text
    }

    /// The name, as the IANA database has it.
    public var description: String { text }

    /// How many seconds its clocks are ahead of UTC at a time.
    public func offset(at time: Timestamp) -> Int64 {
        let seconds = Double(time.microseconds) / 1_000_000
        return Int64(TimeZone(identifier: text)?.secondsFromGMT(for: Date(timeIntervalSince1970: seconds)) ?? 0)
    }

    /// The moment at which its clocks show a time that is read as if it were UTC's: the first of two when clocks are set
    /// back, and what they show instead when they leave the time out.
    public func moment(showing local: Timestamp) -> Timestamp {
        let (before, after) = (offset(at: local - .seconds(86_400)), offset(at: local + .seconds(86_400)))
        let fits = [before, after].map { local - .seconds($0) }.filter { $0 + .seconds(offset(at: $0)) == local }
        return fits.min() ?? local - .seconds(before)
    }

    /// What its clocks show at a time, as RFC 3339 has it: `2026-11-21T09:30:00+01:00`.
    public func rfc3339(_ time: Timestamp) -> String {
        let offset = offset(at: time)
        return (time + .seconds(offset)).rfc3339.dropLast() + Self.words(offset)
    }

    /// An offset as ISO 8601 has it: `+01:00`.
    public static func words(_ offset: Int64) -> String {
        func two(_ number: UInt64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let minutes = offset.magnitude / 60
        return (offset < 0 ? "-" : "+") + two(minutes / 60) + ":" + two(minutes % 60)
    }

    /// All names in the order of the alphabet.
    public static let all = known.sorted()

    /// Names with a place, and UTC: abbreviations such as EST mean different zones to different people.
    private static let known = Set(
        TimeZone.knownTimeZoneIdentifiers.filter { $0.contains("/") && !$0.hasPrefix("Etc/") } + ["UTC"])

    /// The name that somebody gave, or a refusal at its place.
    static func checked(_ text: String) throws(Refusal) -> TimeZoneName {
        guard let name = TimeZoneName(text) else {
            throw Refusal(
                .invalid, "tenant.timeZone", "There is no such time zone. Names look like Europe/Berlin.",
                faults: [.init(place: "/timeZone", message: "must be a time zone such as Europe/Berlin")])
        }
        return name
    }
}
