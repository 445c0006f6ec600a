import Access
import Base
import Hummingbird
import HummingbirdCore
import Northbound
import SignIn

/// Signing in with what people have elsewhere: the ways of an organisation, and the way back from a provider.
extension PageTable {
    static func directoryEntrance(_ console: ConsoleParts) -> [Page] {
        [
            .open("/sign-in/organisation") { visit in
                .show(try await DirectoryWays(console, visit, visit.query).page())
            },
            .open(posting: "/sign-in/directory") { visit in
                let ways = DirectoryWays(console, visit, visit.form)
                do {
                    let step = try await console.directories.signIn(
                        visit.form.text("directory") ?? "", of: ways.slug(), user: visit.form.text("user") ?? "",
                        password: visit.form.exact("password"), from: visit.origin)
                    return try await goOn(step, console, visit, to: ways.next)
                } catch let refusal as Refusal {
                    return try await ways.again(refusal)
                }
            },
            .open(posting: "/sign-in/provider") { visit in
                let ways = DirectoryWays(console, visit, visit.form)
                do {
                    let provider = try await console.directories.visit(
                        visit.form.text("directory") ?? "", of: ways.slug(), from: visit.origin)
                    // A page of its own, because a form may lead nowhere but here, not even by a redirect.
                    return .setting(
                        cookie: VisitCookie.setting(provider.browser, next: ways.next),
                        .show(ProviderPage(address: provider.address, host: DirectoryWays.host(of: provider.address))))
                } catch let refusal as Refusal {
                    return try await ways.again(refusal)
                }
            },
            .open(Directories.returnPath) { visit in
                let cookie = VisitCookie(in: visit.request.headers)
                do {
                    let step = try await console.directories.comeBack(
                        visit.query.single, browser: cookie?.browser, from: visit.origin)
                    let outcome = try await goOn(step, console, visit, to: cookie?.next ?? "/")
                    return .setting(cookie: VisitCookie.clearing, arrival(outcome, visit.cookie))
                } catch let refusal as Refusal {
                    let again = try await DirectoryWays(console, visit, FormFields()).again(refusal)
                    return .setting(cookie: VisitCookie.clearing, again)
                }
            },
        ]
    }

    /// The browser is still coming from another site, so it would leave a session's cookie out of what it asks for next:
    /// a page of ours sends it on.
    private static func arrival(_ outcome: Outcome, _ cookie: SessionCookie) -> Outcome {
        guard case .signedIn(let secret, let place) = outcome else { return outcome }
        return .setting(cookie: cookie.setting(secret), .show(ArrivalPage(address: LocalAddress(place).text)))
    }
}

/// The ways to sign in that an organisation offers, as a form or query names it.
struct DirectoryWays: Sendable {
    private let console: ConsoleParts
    private let visit: Visit
    private let fields: FormFields
    /// Where to go after signing in.
    let next: String

    init(_ console: ConsoleParts, _ visit: Visit, _ fields: FormFields) {
        (self.console, self.visit, self.fields) = (console, visit, fields)
        next = LocalAddress(fields.text("next") ?? "/").text
    }

    func slug() throws(Refusal) -> TenantSlug {
        guard let slug = fields.text("organisation").flatMap({ TenantSlug($0) }) else {
            throw Refusal(.invalid, "tenant.slug", "An organisation's short name is a-z, 0-9 and dashes.")
        }
        return slug
    }

    /// The page; an organisation without directories and one that there is not look the same.
    func page(fault: String? = nil) async throws -> OrganisationPage {
        var page = OrganisationPage(
            organisation: fields.text("organisation") ?? "", next: next, nextQuery: next.percentEncoded,
            fault: fault)
        guard !page.organisation.isEmpty else { return page }
        do throws(Refusal) {
            let slug = try slug()
            page.organisation = slug.text
            let found: [Directory]
            do { found = try await console.directories.choices(of: slug) } catch { throw Self.unavailable }
            for directory in found where Realm(of: directory.tenant) == visit.realm {
                switch directory.means {
                case .openID(let settings):
                    page.providers.append(.init(name: directory.name.text, host: Self.host(of: settings.issuer)))
                case .ldap:
                    page.servers.append(
                        .init(
                            name: directory.name.text,
                            user: fields.text("directory") == directory.name.text ? fields.text("user") ?? "" : ""))
                }
            }
            page.isChosen = !(page.providers.isEmpty && page.servers.isEmpty)
            if !page.isChosen, page.fault == nil { throw Self.none }
        } catch {
            page.fault = page.fault ?? error.message
        }
        return page
    }

    func again(_ refusal: Refusal) async throws -> Outcome {
        .page(try await page(fault: refusal.message), status: refusal.kind.status)
    }

    /// The host of an address, for people to know where they are sent.
    static func host(of address: String) -> String {
        String(address.trimmingPrefix("https://").prefix { $0 != "/" && $0 != "?" })
    }

    private static let none = Refusal(
        .notFound, "directory.none",
        "No organisation of this name signs in here by a directory. Check the name, or use your password.")
    private static let unavailable = Refusal(
        .unavailable, "directory.unavailable", "The ways to sign in can not be read just now. Try again.")
}

/// Asks for an organisation, and shows its ways to sign in.
struct OrganisationPage: PageView {
    static let template = "gate-organisation"

    /// An OpenID provider.
    struct Provider: Sendable {
        let name: String
        let host: String
    }

    /// An LDAP directory.
    struct Server: Sendable {
        let name: String
        let user: String
    }

    let title = "Sign in with your organisation"
    var organisation: String
    /// Whether there is something to choose from.
    var isChosen = false
    var providers: [Provider] = []
    var servers: [Server] = []
    let next: String
    let nextQuery: String
    var fault: String?
}

/// Sends a browser on to a provider.
struct ProviderPage: PageView {
    static let template = "gate-provider"
    let title = "One moment"
    let address: String
    let host: String
}

/// Sends a browser that has come back from a provider on, signed in.
struct ArrivalPage: PageView {
    static let template = "gate-arrival"
    let title = "You are signed in"
    let address: String
}
