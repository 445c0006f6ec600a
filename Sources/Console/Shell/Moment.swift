import Access
package import Base
import Fleet

/// A time as pages show it: exact in the markup, short to the eye, made local by the script.
package struct Moment: Sendable, Hashable {
    /// RFC 3339.
    let exact: String
    /// `2026-11-21 08:30 UTC`, or with the organisation's offset instead.
    let text: String
    /// `2026-11-21 08:30:05 UTC`, where minutes are too coarse.
    let fine: String

    /// The time zone of the organisation whose page is made; UTC when nil.
    @TaskLocal static var zone: TimeZoneName?

    /// The words for a time.
    package init(_ time: Timestamp) {
        exact = time.rfc3339
        let offset = Self.zone?.offset(at: time) ?? 0
        let local = offset == 0 ? exact : (time + .seconds(offset)).rfc3339
        let mark = Self.zone == nil ? "UTC" : TimeZoneName.words(offset)
        text = local.prefix(16).split(separator: "T").joined(separator: " ") + " " + mark
        fine = local.prefix(19).split(separator: "T").joined(separator: " ") + " " + mark
    }

    /// The words for a time, or nothing for none.
    package init?(_ time: Timestamp?) {
        guard let time else { return nil }
        self.init(time)
    }
}

/// A state as pages show it: shape, word and hue together, never hue alone.
package struct Badge: Sendable, Hashable {
    /// The shape in the sprite and the class that gives the hue.
    let shape: String
    /// The word.
    let word: String

    /// All is well.
    static func good(_ word: String) -> Badge { Badge(shape: "ok", word: word) }
    /// Something should be looked at.
    static func warning(_ word: String) -> Badge { Badge(shape: "warning", word: word) }
    /// Something must be looked at.
    static func critical(_ word: String) -> Badge { Badge(shape: "critical", word: word) }
    /// Nothing is known, or nothing is there.
    static func off(_ word: String) -> Badge { Badge(shape: "off", word: word) }
}

extension Int {
    /// The number with thin groups of three digits.
    var grouped: String {
        var text = ""
        let digits = String(self)
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text += "\u{202F}" }
            text.append(digit)
        }
        return text
    }
}

extension Int {
    /// The number with the word for one or for several.
    func counted(_ one: String, _ several: String) -> String { "\(grouped) \(self == 1 ? one : several)" }

    /// How much of a whole it is, in hundredths.
    func share(of whole: Int) -> String {
        self > 0 && self * 100 < whole ? "< 1 %" : "\((self * 200 + whole) / Swift.max(whole * 2, 1)) %"
    }
}

extension Count {
    /// The number in groups of three digits, with a plus sign when there are more.
    var grouped: String { number.grouped + (hasMore ? "+" : "") }
}
