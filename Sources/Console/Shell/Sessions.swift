import Base

/// How the console learns who is signed in.
///
/// A struct of closures, so that pages can be tested without accounts.
package struct Sessions: Sendable {
    /// The visitor who holds this session; refuses with `.unauthenticated` when it is none, or has ended.
    package var visitor: @Sendable (_ secret: String, _ address: String?, _ agent: String?) async throws -> Visitor
    /// Ends the visitor's own session.
    package var end: @Sendable (Visitor) async throws -> Void

    /// Sessions that these closures know.
    package init(
        visitor: @escaping @Sendable (String, String?, String?) async throws -> Visitor,
        end: @escaping @Sendable (Visitor) async throws -> Void
    ) {
        self.visitor = visitor
        self.end = end
    }

    /// A server that knows nobody.
    package static let none = Sessions(
        visitor: { _, _, _ in throw Refusal(.unauthenticated, "session.none", "Sign in.") }, end: { _ in })
}
