package import Access
import Base
import HTTPTypes
import Hummingbird
import SignIn

/// One request for a page that anybody may see.
package struct Visit: Sendable {
    /// The request's identifier.
    let id: String
    /// The request itself.
    let request: Request
    /// The network address it came from.
    package let address: String?
    /// Whose listener it came in by.
    let realm: Realm
    /// The path's parameters, decoded.
    let parameters: [String: String]
    /// The fields of the query.
    package let query: FormFields
    /// The fields of the form that was sent.
    package let form: FormFields
    /// Who is signed in, if anybody.
    let visitor: Visitor?
    /// Why the session that the browser brings does not count, when rules for signing in keep it from that.
    var ended: Refusal?

    /// The cookie of the listener's sessions.
    var cookie: SessionCookie { SessionCookie(realm) }

    /// What the browser calls itself.
    package var agent: String? { request.headers[.userAgent] }

    /// A parameter of the path.
    package func path(_ name: String) -> String { parameters[name] ?? "" }

    /// The address asked for, with its query.
    var place: String { request.head.path ?? "/" }
}

/// One request of somebody who is signed in.
@dynamicMemberLookup
package struct SignedVisit: Sendable {
    /// The request.
    package let visit: Visit
    /// Who is signed in.
    package let visitor: Visitor

    /// The principal who acts.
    package var principal: Principal { visitor.principal }

    /// The parts of the visit, as if they were its own.
    package subscript<T>(dynamicMember member: KeyPath<Visit, T>) -> T { visit[keyPath: member] }
}

/// One request of somebody who holds the page's permission somewhere in the path's tenant.
@dynamicMemberLookup
package struct TenantVisit: Sendable {
    /// The request.
    package let visit: Visit
    /// Who is signed in.
    package let visitor: Visitor
    /// The tenant in the path.
    package let tenant: Tenant

    /// The principal who acts.
    package var principal: Principal { visitor.principal }

    /// The tenant's address, before which every other of its addresses begins.
    package var home: String { "/t/\(tenant.slug)" }

    /// A parameter of the path.
    package func path(_ name: String) -> String { visit.path(name) }

    /// The parts of the visit, as if they were its own.
    package subscript<T>(dynamicMember member: KeyPath<Visit, T>) -> T { visit[keyPath: member] }
}

/// Somebody who is signed in.
package struct Visitor: Sendable {
    /// Who acts.
    package let principal: Principal
    /// What they are called.
    package let name: String
    /// What every form of theirs must carry.
    let formToken: String

    /// A visitor.
    package init(principal: Principal, name: String, formToken: String) {
        self.principal = principal
        self.name = name
        self.formToken = formToken
    }
}
