import Base
import Fleet

/// What is wrong in a filter that somebody wrote, shown at its place in the text.
struct FilterFault: Sendable {
    let message: String
    /// The text as far as it is right.
    let before: String
    /// The word where it goes wrong; empty at the text's end.
    let wrong: String
    let after: String
    let hasPlace: Bool

    /// A fault at a place in the text.
    init(message: String, before: String, wrong: String, after: String, hasPlace: Bool = true) {
        self.message = message
        self.before = before
        self.wrong = wrong
        self.after = after
        self.hasPlace = hasPlace
    }

    /// A fault that has no place in the text.
    init(_ refusal: Refusal) {
        self.init(message: refusal.message.beginningUpper, before: "", wrong: "", after: "", hasPlace: false)
    }

    /// What is wrong in `text`, nil when it can be read.
    init?(in text: String) {
        let refusal: Refusal
        do {
            _ = try DeviceFilter(text)
            return nil
        } catch {
            refusal = error
        }
        guard let fault = refusal.faults.first, let column = Int(fault.place.filter(\.isNumber)) else {
            self.init(refusal)
            return
        }
        // The place is counted in bytes from one; a character in whose middle it lies counts as a whole.
        let bytes = Array(text.utf8)
        let start = min(max(column - 1, 0), bytes.count)
        let end = bytes[start...].firstIndex { $0 == 0x20 } ?? bytes.count
        self.init(
            message: fault.message.beginningUpper + ".", before: String(decoding: bytes[..<start], as: UTF8.self),
            wrong: String(decoding: bytes[start..<end], as: UTF8.self),
            after: String(decoding: bytes[end...], as: UTF8.self))
    }
}

extension String {
    /// The same beginning with a capital letter, as a sentence of its own.
    var beginningUpper: String { prefix(1).uppercased() + dropFirst() }
}
