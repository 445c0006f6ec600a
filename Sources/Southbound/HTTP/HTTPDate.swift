import Base

/// The `Date` of answers, written once a second for a whole event loop (RFC 9110, section 5.6.7).
///
/// Devices without a clock of their own set theirs by it.
final class HTTPDate {
    private var second: Int64 = .min
    private var text: [UInt8] = []

    /// `Sun, 06 Nov 1994 08:49:37 GMT` for this moment.
    func text(at now: Timestamp) -> [UInt8] {
        if now.seconds != second {
            second = now.seconds
            text = Array(Self.text(of: now).utf8)
        }
        return text
    }

    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The same for any moment, for one answer alone.
    static func text(of moment: Timestamp) -> String {
        let (year, month, day) = moment.date
        let days = moment.seconds.flooredDivision(by: 86_400)
        let ofDay = moment.seconds - days * 86_400
        // The epoch was a Thursday.
        let weekday = Int(days - days.flooredDivision(by: 7) * 7)
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let clock = "\(two(ofDay / 3600)):\(two(ofDay / 60 % 60)):\(two(ofDay % 60))"
        return "\(Self.days[weekday]), \(two(day)) \(months[Int(month) - 1]) \(year) \(clock) GMT"
    }
}
