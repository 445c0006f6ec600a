import Base
import Delivery

extension AlertNotices {
    /// Where a message about alerts goes.
    enum Destination: Hashable, Sendable {
        case mail(String)
        case sms(String)
        case webhook(OutletID)

        /// The destination as it is stored.
        var text: String {
            switch self {
            case .mail(let address): "mail \(address)"
            case .sms(let number): "sms \(number)"
            case .webhook(let outlet): "webhook \(outlet)"
            }
        }

        /// The destination that is written so; nil when it is none.
        init?(text: String) {
            guard let space = text.firstIndex(of: " ") else { return nil }
            let rest = String(text[text.index(after: space)...])
            switch text[..<space] {
            case "mail": self = .mail(rest)
            case "sms": self = .sms(rest)
            case "webhook":
                guard let outlet = OutletID(text: rest) else { return nil }
                self = .webhook(outlet)
            default: return nil
            }
        }
    }
}
