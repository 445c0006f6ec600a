public import Access
public import Base

/// Decides who a caller is and whether a route is for them, before anything else of a request is looked at.
///
/// A struct of closures, so that the router can be tested without a database; `Gatekeeper+access.swift` makes the
/// real one.
public struct Gatekeeper: Sendable {
    /// The principal who holds this bearer token; refuses with `.unauthenticated`.
    public var authenticate: @Sendable (_ bearer: String, _ address: String?) async throws -> Principal
    /// The tenant of this slug, if the caller meets the requirement somewhere in it; refuses with `notHere`.
    public var admit: @Sendable (Principal, Route.Requirement, TenantSlug) async throws -> Tenant
    /// Takes one request from the rates of the caller and the tenant; refuses with `.limited`.
    public var count: @Sendable (Principal, Tenant) throws -> Void
    /// Takes note, before it is done, of what somebody of the platform's staff does in a tenant.
    public var noteStaff: @Sendable (Principal, Tenant, _ operation: String, _ path: String) async throws -> Void
    /// Takes note of a refused credential; refuses with `.limited` when one address has too many.
    public var countRefused: @Sendable (_ address: String?, Refusal) throws -> Void

    /// A gatekeeper of these decisions.
    public init(
        authenticate: @escaping @Sendable (String, String?) async throws -> Principal,
        admit: @escaping @Sendable (Principal, Route.Requirement, TenantSlug) async throws -> Tenant,
        count: @escaping @Sendable (Principal, Tenant) throws -> Void,
        countRefused: @escaping @Sendable (String?, Refusal) throws -> Void,
        noteStaff: @escaping @Sendable (Principal, Tenant, String, String) async throws -> Void = { _, _, _, _ in }
    ) {
        self.authenticate = authenticate
        self.admit = admit
        self.count = count
        self.countRefused = countRefused
        self.noteStaff = noteStaff
    }

    /// What a caller is told about anything that is absent or not for them: always the same words.
    public static let notHere = Refusal(
        .notFound, "not.found", "There is nothing at this address, or it is not for you.")

    static let otherListener = Refusal(
        .unauthenticated, "token.listener", "The token is unknown, expired or revoked, or for another listener.")

    static let noCredential = Refusal(
        .unauthenticated, "token.missing",
        "Send a token: `Authorization: Bearer …`. `tidegate admin token create` makes one.")
}
