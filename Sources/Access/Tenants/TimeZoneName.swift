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
