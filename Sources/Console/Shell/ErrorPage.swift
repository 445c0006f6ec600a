import Base
import HTTPTypes

/// What somebody sees when a page can not be had.
struct ErrorPage: PageView {
    static let template = "error"
    let title: String
    let message: String
    let faults: [Fault]
    /// What the log has it under.
    let request: String
    /// Where to go from here.
    let home: String

    struct Fault: Sendable {
        let place: String
        let message: String
    }

    init(_ refusal: Refusal, request: String, home: String) {
        title =
            switch refusal.kind {
            case .invalid: "That did not work"
            case .unauthenticated: "Please sign in"
            case .forbidden: "Not allowed"
            case .notFound: "Nothing here"
            case .conflict: "Something is in the way"
            case .tooLarge: "Too large"
            case .limited: "Too much at once"
            case .unavailable: "Not available now"
            }
        message = refusal.message
        faults = refusal.faults.map { Fault(place: $0.place, message: $0.message) }
        self.request = request
        self.home = home
    }
}
