public import Access
public import HTTPTypes

/// One operation of the API: how it is reached, who may use it, what goes in and out, and what it does.
///
/// The permission is part of the initialiser on purpose: a route without one does not compile.
public struct Route: Sendable {
    /// Who may use a route.
    public enum Requirement: Hashable, Sendable {
        /// Anybody, without a credential.
        case unauthenticated
        /// Any caller with a valid credential.
        case authenticated
        /// A caller who holds this permission in the path's tenant or, where the path names none, on the platform.
        case permission(Permission)
    }

    /// What the body of a request may be.
    public enum Body: Sendable {
        /// None.
        case none
        /// A JSON value, read whole, within `NorthboundLimits.bodyBytes`.
        case json(Shape)
        /// One of these media types, read as it arrives, within `NorthboundLimits.uploadBytes`.
        case streamed([String])
    }

    /// What a successful answer holds.
    public enum Success: Sendable {
        /// 204, nothing.
        case nothing
        /// 200 with a JSON value.
        case json(Shape)
        /// 201 with the JSON value of the new object.
        case created(Shape)
        /// 200 with a page: `items` of this shape and `next`.
        case page(Shape)
        /// 200 with JSON, or with one of the media types when asked for.
        case jsonOr(Shape, [String])
        /// 200 with one of these media types.
        case streamed([String])
    }

    enum Handler: Sendable {
        case open(@Sendable (Input) async throws -> Answer)
        case known(@Sendable (Call) async throws -> Answer)
    }

    /// The method.
    public let method: HTTPRequest.Method
    /// The path, with its parameters in braces.
    public let path: String
    /// The operation's identifier, for generated clients.
    public let operation: String
    /// What it does, in a sentence.
    public let summary: String
    /// Who may use it.
    public let requirement: Requirement
    /// The parameters of the query.
    public let query: [Parameter]
    /// The request's body.
    public let body: Body
    /// The successful answer.
    public let success: Success
    /// Whether a write may be repeated with an idempotency key.
    public let isRepeatable: Bool
    /// Whether its answer holds a secret of a person or program that is shown once, so that no repetition shows it.
    public let showsSecret: Bool
    let handler: Handler

    /// An operation for callers with this permission.
    public init(
        _ method: HTTPRequest.Method, _ path: String, _ operation: String, _ summary: String,
        needs permission: Permission, query: [Parameter] = [], body: Body = .none, success: Success,
        _ handle: @escaping @Sendable (Call) async throws -> Answer
    ) {
        self.init(
            method, path, operation, summary, .permission(permission), query, body, success, .known(handle))
    }

    /// An operation for every caller with a valid credential.
    public static func authenticated(
        _ method: HTTPRequest.Method, _ path: String, _ operation: String, _ summary: String,
        query: [Parameter] = [], body: Body = .none, success: Success,
        _ handle: @escaping @Sendable (Call) async throws -> Answer
    ) -> Route {
        Route(method, path, operation, summary, .authenticated, query, body, success, .known(handle))
    }

    /// A read that needs no credential.
    public static func unauthenticated(
        _ path: String, _ operation: String, _ summary: String, success: Success,
        _ handle: @escaping @Sendable (Input) async throws -> Answer
    ) -> Route {
        Route(.get, path, operation, summary, .unauthenticated, [], .none, success, .open(handle))
    }

    private init(
        _ method: HTTPRequest.Method, _ path: String, _ operation: String, _ summary: String,
        _ requirement: Requirement, _ query: [Parameter], _ body: Body, _ success: Success, _ handler: Handler
    ) {
        self.method = method
        self.path = path
        self.operation = operation
        self.summary = summary
        self.requirement = requirement
        self.query = query
        self.body = body
        self.success = success
        self.handler = handler
        // An upload's bytes are not kept, so there is nothing to compare a repetition with.
        if case .streamed = body { isRepeatable = false } else { isRepeatable = method != .get }
        switch success {
        case .json(let shape), .created(let shape): showsSecret = shape.holdsSecret
        default: showsSecret = false
        }
    }

    /// The names of the path's parameters, in their order.
    var pathParameters: [String] {
        path.split(separator: "/").compactMap { step in
            step.hasPrefix("{") && step.hasSuffix("}") ? String(step.dropFirst().dropLast()) : nil
        }
    }

    /// Whether the path names a tenant.
    var isInTenant: Bool { pathParameters.first == "tenant" }
}
