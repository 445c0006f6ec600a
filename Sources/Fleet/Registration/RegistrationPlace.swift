/// Where a device stands in a list to register, as its sender would look for it.
enum RegistrationPlace: Sendable {
    /// A line of CSV, counted from one, the header's included.
    case line(Int)
    /// An element of a JSON array, counted from zero as JSON pointers do (RFC 6901).
    case element(Int)
}

extension RegistrationPlace: CustomStringConvertible {
    var description: String {
        switch self {
        case .line(let number): "line \(number)"
        case .element(let index): "/\(index)"
        }
    }
}
