import Base
import FoundationEssentials

extension Timestamp {
    /// The moment of a certificate's field.
    init(_ date: Date) {
        // Certificates count seconds between the years 1950 and 9999, so the product fits.
        self.init(microseconds: Int64(date.timeIntervalSince1970.rounded()) * 1_000_000)
    }
}

extension Date {
    /// The moment as a certificate's field has it: whole seconds, rounded down.
    init(_ timestamp: Timestamp) { self.init(timeIntervalSince1970: Double(timestamp.seconds)) }
}

/// When a certificate is valid.
struct Validity: Hashable, Sendable {
    /// How far a certificate's beginning is set back, for devices whose clocks are behind.
    static let backdating: Duration = .seconds(300)

    let notBefore: Timestamp
    let notAfter: Timestamp

    /// From a little before `now` for `lifetime`, but not past `end`; both in the whole seconds of certificates.
    init(now: Timestamp, lifetime: Duration, notPast end: Timestamp? = nil) {
        let from = now - Self.backdating
        let until = now + lifetime
        notBefore = Timestamp(microseconds: from.seconds * 1_000_000)
        notAfter = Timestamp(microseconds: min(until, end ?? until).seconds * 1_000_000)
    }

    /// The moment from which a certificate should be replaced: two thirds of its life.
    static func renewalDue(notBefore: Timestamp, notAfter: Timestamp) -> Timestamp {
        notBefore + (notAfter - notBefore) * 2 / 3
    }
}
