import Access
import Audit
import Base
import Bus
import Crypto
import Delivery
import Fleet
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Northbound
import SignIn
import Storage
import Telemetry
import Trust

/// The way in and out.
extension PageTable {
    static func entrance(_ console: ConsoleParts, _ sessions: Sessions) -> [Page] {
        let signIn = console.signIn
        let own: [Page] = [
            .signedIn("/") { visit in .seeOther(try await start(console, visit)) },
            .signedIn(posting: "/sign-out") { visit in
                try await sessions.end(visit.cookie.secret(in: visit.request.headers) ?? "", visit.visit.origin)
                return .signedOut(to: "/sign-in?done=\(Done.signedOut.rawValue)")
            },
            .open("/sign-in") { visit in
                .show(SignInPage(console, visit, to: visit.query.text("next") ?? "/"))
            },
            .open(posting: "/sign-in") { visit in
                var page = SignInPage(console, visit, to: visit.form.text("next") ?? "/")
                page.address = visit.form.text("address") ?? ""
                page.organisation = visit.form.text("organisation")
                do {
                    let organisation = try page.organisation.map { text in
                        guard let slug = TenantSlug(text) else {
                            throw Refusal(
                                .invalid, "tenant.slug", "An organisation's short name is a-z, 0-9 and dashes.")
                        }
                        return slug
                    }
                    let step = try await signIn.begin(
                        address: page.address, password: visit.form.exact("password"), organisation: organisation,
                        from: visit.origin)
                    return try await Self.goOn(step, console, visit, to: page.next)
                } catch let refusal as Refusal {
                    page.fault = refusal.message
                    return .page(page, status: refusal.kind.status)
                }
            },
            .open("/forgotten") { _ in .show(ForgottenPage(sends: try await console.delivery.canMailSomebody())) },
            .open(posting: "/forgotten") { visit in
                // Said of the server as a whole, so that it tells nothing about the account.
                guard try await console.delivery.canMailSomebody() else { return .again(ForgottenPage(sends: false)) }
                do {
                    try signIn.forgot(address: visit.form.text("address") ?? "", from: visit.origin)
                    return .seeOther("/sign-in", done: .linkSent)
                } catch let refusal as Refusal {
                    return .page(ForgottenPage(sends: true, fault: refusal.message), status: refusal.kind.status)
                }
            },
            .open(posting: "/password-rules") { visit in
                let rules = try await Self.rules(signIn, visit)
                return .show(RulesPage(rules: Rule.all(rules, typed: visit.form.exact("password"))))
            },
            .open(posting: "/choose-password") { visit in
                guard let pending = PendingSecret(visit.form.exact("pending")) else {
                    throw Refusal(.unauthenticated, "signin.ended", "This sign-in has ended. Begin again.")
                }
                let next = visit.form.text("next") ?? "/"
                do {
                    let step = try await signIn.choosePassword(
                        visit.form.exact("password"), pending: pending, from: visit.origin)
                    return try await Self.goOn(step, console, visit, to: next)
                } catch let refusal as Refusal where refusal.kind == .invalid {
                    return .again(
                        try await Self.choose(
                            console, visit, pending: pending, to: next, fault: refusal.message))
                }
            },
        ]
        return own + signingOn(console) + links(console) + trust(console)
    }

    /// Set-up, invitation and reset: each is a link that works once.
    private static func links(_ console: ConsoleParts) -> [Page] {
        let byPurpose = LinkPurpose.allCases.flatMap { purpose -> [Page] in
            [
                .open(purpose.path) { visit in
                    let link = visit.query.exact("link")
                    return .show(try await choose(console, visit, purpose, link))
                },
                .open(posting: purpose.path) { visit in
                    let (link, password) = (visit.form.exact("link"), visit.form.exact("password"))
                    let signIn = console.signIn
                    do {
                        let step: Step
                        switch purpose {
                        case .setUp:
                            step = try await signIn.setUp(
                                link,
                                FirstAdministrator(
                                    address: visit.form.text("address") ?? "", name: visit.form.text("name"),
                                    password: password, organisation: visit.form.text("organisation") ?? "",
                                    timeZone: visit.form.text("zone")),
                                from: visit.origin)
                        case .invitation:
                            step = try await signIn.accept(
                                link, name: visit.form.text("name"), password: password, from: visit.origin)
                        case .reset: step = try await signIn.reset(link, password: password, from: visit.origin)
                        }
                        return try await goOn(step, console, visit, to: purpose == .setUp ? "/welcome" : "/")
                    } catch let refusal as Refusal where refusal.kind == .invalid {
                        var page = try await choose(console, visit, purpose, link)
                        page.fault = ([refusal.message] + refusal.faults.map(\.message)).joined(separator: " ")
                        return .again(page)
                    }
                },
            ]
        }
        let welcome: [Page] = [
            .signedIn("/welcome") { visit in
                let welcome = try await start(console, visit) + "/welcome"
                let hasFactor = try await !console.factors.overview(of: visit.principal).factors.isEmpty
                return .seeOther(hasFactor ? welcome : "/profile/factors/new?next=" + welcome.percentEncoded)
            },
            Page("/welcome", needs: .tenantRead) { visit in
                let offersDemo = try await console.access.offersDemo(visit.tenant, to: visit.principal)
                return .show(
                    WelcomePage(
                        title: "Welcome to \(visit.tenant.name)",
                        lead: visit.tenant.demo
                            ? "Its simulated meters report already: look around first, or connect a device of yours."
                            : "You are its first administrator. What comes next?",
                        connect: "\(visit.home)/devices/connect", importing: "\(visit.home)/devices/import",
                        demo: offersDemo ? visit.home + "/demo" : nil, overview: visit.home))
            },
        ]
        return byPurpose + welcome
    }

    /// What lets browsers and devices trust this server.
    private static func trust(_ console: ConsoleParts) -> [Page] {
        [
            .open("/server-ca.pem") { _ in
                let authority = Array(try console.serverAuthority().utf8)
                return .answer(
                    Answer(.ok, .bytes(authority, mediaType: "application/x-pem-file")).saved(as: "server-ca.pem"))
            },
            .open("/certificate") { visit in
                let authority = Array(try console.serverAuthority().utf8)
                return .show(
                    CertificatePage(
                        fingerprint: SHA256.hash(data: authority).map { $0 }.hex,
                        names: console.names.sorted().joined(separator: ", "),
                        otherName: console.names.contains(visit.hostName) ? nil : visit.hostName))
            },
        ]
    }

    /// Where somebody who is signed in begins.
    private static func start(_ console: ConsoleParts, _ visit: SignedVisit) async throws -> String {
        guard let place = try await console.home(of: visit.principal) else {
            throw Refusal(
                .forbidden, "access.none",
                "You are signed in, but nobody has given you a role yet. Ask an administrator for one.")
        }
        return "/t/\(place.slug)"
    }

    /// Asks for a new password in the middle of signing in.
    static func choose(
        _ console: ConsoleParts, _ visit: Visit, pending: PendingSecret, to next: String, fault: String? = nil
    ) async throws -> ChoosePage {
        let rules = try await console.signIn.passwordRules(pending: pending, from: visit.origin)
        return ChoosePage(
            title: "Choose a new password", lead: "The old one has had its time.", action: "/choose-password",
            verb: "Set the password and sign in", pending: pending.text, next: LocalAddress(next).text,
            rules: Rule.all(rules, typed: ""), fault: fault)
    }

    private static func choose(
        _ console: ConsoleParts, _ visit: Visit, _ purpose: LinkPurpose, _ link: String
    ) async throws -> ChoosePage {
        let target = try await console.signIn.link(link, realm: visit.origin.realm)
        guard target.purpose == purpose else {
            throw Refusal(.notFound, "link.invalid", "This link leads nowhere. Ask for a new one.")
        }
        let rules = Rule.all(try await console.signIn.passwordRules(link: link), typed: "")
        switch purpose {
        case .setUp:
            return ChoosePage(
                title: "Set up Tidegate",
                lead: "You become the first administrator. There is no default password: this link is the only way in.",
                action: purpose.path, verb: "Create and go on", link: link,
                first: .init(
                    name: visit.form.text("name") ?? "", address: visit.form.text("address") ?? "",
                    organisation: visit.form.text("organisation") ?? console.access.demo?.name ?? "",
                    demo: console.access.demo?.name,
                    zones: TimeZoneName.all.map { .init(name: $0, isChosen: $0 == visit.form.text("zone") ?? "UTC") }),
                rules: rules)
        case .invitation:
            return ChoosePage(
                title: "You are invited", lead: target.account.map { "Your account is \($0.address.text)." } ?? "",
                action: purpose.path, verb: "Accept and sign in", link: link,
                askName: visit.form.text("name") ?? target.account?.name ?? "", rules: rules)
        case .reset:
            return ChoosePage(
                title: "Choose a new password",
                lead: target.account.map { "For \($0.address.text). All its sessions end." } ?? "",
                action: purpose.path, verb: "Set the password and sign in", link: link, rules: rules)
        }
    }

    private static func rules(_ signIn: SignIn, _ visit: Visit) async throws -> PasswordRules {
        if let pending = PendingSecret(visit.form.exact("pending")) {
            return try await signIn.passwordRules(pending: pending, from: visit.origin)
        }
        let link = visit.form.exact("link")
        if link.isEmpty, let visitor = visit.visitor { return try await signIn.passwordRules(of: visitor.principal) }
        return try await signIn.passwordRules(link: link)
    }
}

extension Visit {
    /// From where the visitor comes, as sign-in takes it.
    var origin: Origin { Origin(address: address, userAgent: agent, realm: realm) }

    /// The origin of these pages as the visitor's browser has it.
    var pageOrigin: String { "https://" + (request.head.authority ?? "").lowercased() }

    /// The name by which the visitor reached the server, without its port.
    var hostName: String {
        let authority = request.head.authority ?? ""
        if authority.first == "[" { return String(authority.dropFirst().prefix { $0 != "]" }) }
        return String(authority.prefix { $0 != ":" }).lowercased()
    }
}
