package import Access
import Base
import HTTPTypes
import Northbound

/// One address of the console: how it is reached, who may come, and what it answers.
///
/// Who may come is part of every initialiser on purpose: a page without it does not compile.
package struct Page: Sendable {
    /// Who may come.
    package enum Need: Hashable, Sendable {
        /// Anybody.
        case open
        /// Whoever is signed in.
        case signedIn
        /// Whoever holds this somewhere in the path's tenant.
        case permission(Permission)
    }

    enum Handler: Sendable {
        case open(@Sendable (Visit) async throws -> Outcome)
        case signed(@Sendable (SignedVisit) async throws -> Outcome)
        case tenant(@Sendable (TenantVisit) async throws -> Outcome)
    }

    /// The method: pages are read, forms are posted.
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
    }

    /// The method.
    package let method: Method
    /// The address, with its parameters in braces.
    package let path: String
    /// Who may come.
    package let need: Need
    let handler: Handler
    /// Whether what is posted are bytes of a file rather than a form; the form's token then comes in a header field.
    let takesBytes: Bool
    let steps: [Substring]

    /// A page of a tenant for those who hold `permission`; `path` goes on behind the tenant's address.
    package init(
        _ path: String, needs permission: Permission,
        _ handle: @escaping @Sendable (TenantVisit) async throws -> Outcome
    ) {
        self.init(.get, "/t/{tenant}" + path, .permission(permission), .tenant(handle))
    }

    /// What takes a form of a tenant from those who hold `permission`.
    package init(
        posting path: String, needs permission: Permission,
        _ handle: @escaping @Sendable (TenantVisit) async throws -> Outcome
    ) {
        self.init(.post, "/t/{tenant}" + path, .permission(permission), .tenant(handle))
    }

    /// What takes bytes of a file into a tenant from those who hold `permission`.
    package init(
        receiving path: String, needs permission: Permission,
        _ handle: @escaping @Sendable (TenantVisit) async throws -> Outcome
    ) {
        self.init(.post, "/t/{tenant}" + path, .permission(permission), .tenant(handle), takesBytes: true)
    }

    /// A page for everybody who is signed in.
    package static func signedIn(
        _ path: String, _ handle: @escaping @Sendable (SignedVisit) async throws -> Outcome
    ) -> Page {
        Page(.get, path, .signedIn, .signed(handle))
    }

    /// What takes a form from everybody who is signed in.
    package static func signedIn(
        posting path: String, _ handle: @escaping @Sendable (SignedVisit) async throws -> Outcome
    ) -> Page {
        Page(.post, path, .signedIn, .signed(handle))
    }

    /// A page for anybody.
    package static func open(
        _ path: String, _ handle: @escaping @Sendable (Visit) async throws -> Outcome
    ) -> Page {
        Page(.get, path, .open, .open(handle))
    }

    /// What takes a form from anybody.
    package static func open(
        posting path: String, _ handle: @escaping @Sendable (Visit) async throws -> Outcome
    ) -> Page {
        Page(.post, path, .open, .open(handle))
    }

    private init(_ method: Method, _ path: String, _ need: Need, _ handler: Handler, takesBytes: Bool = false) {
        self.method = method
        self.path = path
        self.need = need
        self.handler = handler
        self.takesBytes = takesBytes
        steps = path.split(separator: "/")
    }

    /// The parameters of a path that is this page's, nil when it is another's.
    func match(_ path: [Substring]) -> [String: String]? {
        guard path.count == steps.count else { return nil }
        var parameters: [String: String] = [:]
        for (step, part) in zip(steps, path) {
            if step.first == "{" {
                guard let text = String(percentDecoding: part), !text.isEmpty else { return nil }
                parameters[String(step.dropFirst().dropLast())] = text
            } else if step != part {
                return nil
            }
        }
        return parameters
    }
}
