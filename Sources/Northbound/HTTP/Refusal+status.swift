package import Base
package import HTTPTypes

extension Refusal.Kind {
    /// The HTTP status that says this sort of no (RFC 9110, section 15.5; RFC 6585, section 4).
    package var status: HTTPResponse.Status {
        switch self {
        case .invalid: .badRequest
        case .unauthenticated: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .conflict: .conflict
        case .tooLarge: .contentTooLarge
        case .limited: .tooManyRequests
        case .unavailable: .serviceUnavailable
        }
    }
}
