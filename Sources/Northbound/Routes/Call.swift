public import Access
import Base
import HTTPTypes
public import Hummingbird
public import Logging

/// One request after the checks that need no caller: what it says, in checked values.
public struct Input: Sendable {
    /// The request's identifier, in the answer and in the log.
    public let id: String
    /// The values in the path.
    public let path: Fields
    /// The values in the query.
    public let query: Fields
    /// The members of the JSON body; empty when the route takes none.
    public let body: Fields
    /// The request itself, for streamed bodies and header fields.
    public let request: Request
    /// Where the request came from, when that is known.
    public let address: String?
    /// Writes with the request's identifier.
    public let logger: Logger

    /// Whether the caller prefers this media type to JSON, by `format` in the query or by the `Accept` field.
    func prefers(_ format: String, _ mediaType: String) -> Bool {
        if let asked = query.textIfAny("format") { return asked == format }
        let accepted = request.headers[.accept] ?? ""
        return accepted.contains(mediaType) && !accepted.contains("application/json")
    }

    /// How many elements a list's page shall have.
    public var limit: Int { query.integerIfAny("limit") ?? NorthboundLimits.defaultPageSize }
}

/// One request of a known caller, who may do what the route is for somewhere in the tenant.
///
/// Whether they may do it to the object at hand is decided by the capability, which knows the object's domain.
@dynamicMemberLookup
public struct Call: Sendable {
    /// What the request says.
    public let input: Input
    /// Who calls.
    public let principal: Principal
    /// The tenant in the path; where the path names none, the platform.
    public let tenant: Tenant

    /// The duration of so many days in the query, nil when it says nothing.
    func days(_ name: String) -> Duration? { input.query.integerIfAny(name).map { .seconds($0 * 86_400) } }

    /// The parts of the input, as if they were the call's own.
    public subscript<T>(dynamicMember member: KeyPath<Input, T>) -> T { input[keyPath: member] }
}
