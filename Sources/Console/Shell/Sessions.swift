import Access
import Base
import Northbound
package import SignIn
import Storage

/// How the console learns who is signed in.
///
/// A struct of closures, so that pages can be tested without accounts.
package struct Sessions: Sendable {
    /// The visitor who holds this session; refuses with `.unauthenticated` when it is none, or has ended. `isUse` says
    /// whether this keeps it from its idle end: a page that stays open does not.
    package var visitor: @Sendable (_ secret: String, _ origin: Origin, _ isUse: Bool) async throws -> Visitor
    /// Ends the session of this secret.
    package var end: @Sendable (_ secret: String, _ origin: Origin) async throws -> Void

    /// Sessions that these closures know.
    package init(
        visitor: @escaping @Sendable (String, Origin, Bool) async throws -> Visitor,
        end: @escaping @Sendable (String, Origin) async throws -> Void
    ) {
        self.visitor = visitor
        self.end = end
    }

    /// The sessions of people's accounts.
    static func of(_ signIn: SignIn) -> Sessions {
        Sessions(
            visitor: { secret, origin, isUse in
                let signedIn = try await signIn.session(secret, from: origin, isUse: isUse)
                return Visitor(
                    principal: signedIn.principal, name: signedIn.account.name, formToken: signedIn.csrfKey)
            }, end: { secret, origin in try await signIn.signOut(secret, from: origin) })
    }
}
