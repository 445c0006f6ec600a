import Access
import Base
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
public import Northbound
import SignIn
import Storage
import Watch

/// The pages for people: finds the page, learns who comes, checks that they may, and puts the frame around the answer.
public struct Console: Sendable {
    let parts: ConsoleParts
    private let sessions: Sessions
    private let table: PageTable
    private let templates: Templates
    private let assets: Assets

    /// A console of these parts, with all its pages.
    package init(_ parts: ConsoleParts, sessions: Sessions) throws {
        self.parts = parts
        self.sessions = sessions
        templates = try Templates()
        assets = Assets()
        table = PageTable(parts, sessions, assets)
    }

    /// A console of these parts, whose visitors hold sessions of its sign-in.
    public init(_ parts: ConsoleParts) throws {
        try self.init(parts, sessions: .of(parts.signIn))
    }

    /// What the people listener asks beside the API.
    public var site: PeopleSite {
        { request, context in await respond(to: request, context) }
    }

    private func respond(to request: Request, _ context: CallContext) async -> Response {
        let acceptsGzip = request.headers[values: .acceptEncoding].contains { $0.contains("gzip") }
        var response: Response
        if request.uri.path.hasPrefix("/assets/"), request.method == .get || request.method == .head {
            response = assets.answer(request.uri.path, acceptsGzip: acceptsGzip) ?? Response(status: .notFound)
        } else {
            response = await page(request, context, acceptsGzip: acceptsGzip)
        }
        PageHeaders.add(to: &response.headers)
        if request.method == .head { response.body = ResponseBody() }
        return response
    }

    private func page(_ request: Request, _ context: CallContext, acceptsGzip: Bool) async -> Response {
        var visit = Visit(
            id: context.id, request: request, address: context.address, realm: context.realm, parameters: [:],
            query: FormFields(request.uri.query ?? "") ?? FormFields(), form: FormFields(), visitor: nil)
        var tenant: Tenant?
        do {
            let method: Page.Method? =
                switch request.method {
                case .get, .head: .get
                case .post: .post
                default: nil
                }
            if method == .post { try FormGuard.checkOrigin(request) }
            if Self.comesFromElsewhere(request) { return continuation(visit) }
            let (visitor, ended) = try await self.visitor(visit)
            visit.ended = ended
            visit = visit.with(visitor: visitor)
            guard case .page(let page, let parameters) = table.match(method, request.uri.path) else {
                return try missing(method, request.uri.path, visit, acceptsGzip)
            }
            let isForm = method == .post && !page.takesBytes
            let form = isForm ? try await FormGuard.read(request) : FormFields()
            visit = visit.with(visitor: visitor, parameters: parameters, form: form)
            if method == .post, let visitor {
                try FormGuard.checkToken(isForm ? form.exact("form-token") : request.headers[.formToken] ?? "", visitor)
            }
            let outcome: Outcome
            switch page.handler {
            case .open(let handle): outcome = try await handle(visit)
            case .signed(let handle):
                guard let visitor else { return signInFirst(visit) }
                outcome = try await handle(SignedVisit(visit: visit, visitor: visitor))
            case .tenant(let handle):
                guard let visitor else { return signInFirst(visit) }
                let admitted = try await admit(visitor, page, parameters, request.uri.path)
                tenant = admitted
                let asked = TenantVisit(visit: visit, visitor: visitor, tenant: admitted)
                outcome = try await Moment.$zone.withValue(admitted.timeZone) { try await handle(asked) }
            }
            return try await response(to: outcome, visit, tenant, acceptsGzip)
        } catch {
            if let page = try? await PageTable.lifting(error, parts, visit),
                let response = try? await response(to: .page(page, status: .forbidden), visit, tenant, acceptsGzip)
            {
                return response
            }
            return await refusalPage(error, visit, tenant, context, acceptsGzip)
        }
    }

    /// Who comes; nobody when their session does not count, with the reason where rules for signing in are it.
    private func visitor(_ visit: Visit) async throws -> (Visitor?, ended: Refusal?) {
        guard let secret = visit.cookie.secret(in: visit.request.headers) else { return (nil, nil) }
        do {
            return (try await sessions.visitor(secret, visit.origin, true), nil)
        } catch let refusal as Refusal where refusal == SignIn.sessionOutgrown || refusal == SignIn.sessionElsewhere {
            return (nil, refusal)
        } catch let refusal as Refusal where refusal.kind == .unauthenticated {
            return (nil, nil)
        }
    }

    private func admit(
        _ visitor: Visitor, _ page: Page, _ parameters: [String: String], _ path: String
    ) async throws -> Tenant {
        guard let slug = parameters["tenant"].flatMap({ TenantSlug($0) }), case .permission(let permission) = page.need
        else { throw Gatekeeper.notHere }
        let tenant = try await parts.gatekeeper.admit(visitor.principal, .permission(permission), slug)
        try parts.gatekeeper.count(visitor.principal, tenant)
        try await parts.gatekeeper.noteStaff(visitor.principal, tenant, "page", path)
        return tenant
    }

    // MARK: - Answers

    private func response(
        to outcome: Outcome, _ visit: Visit, _ tenant: Tenant?, _ acceptsGzip: Bool
    ) async throws -> Response {
        switch outcome {
        case .page(let view, let status, let live):
            let frame = try await frame(view, visit, tenant, live: live)
            return html(templates.render(view, in: frame), status, acceptsGzip)
        case .seeOther(let place, let done):
            let mark = done.map { (place.contains("?") ? "&" : "?") + "done=\($0.rawValue)" } ?? ""
            return Self.redirect(to: place + mark)
        case .signedIn(let secret, let place):
            var response = Self.redirect(to: place)
            response.headers[.setCookie] = visit.cookie.setting(secret)
            return response
        case .signedOut(let place):
            var response = Self.redirect(to: place)
            response.headers[.setCookie] = visit.cookie.clearing
            return response
        case .answer(let answer):
            return answer.response
        case .setting(let cookie, let inner):
            var response = try await self.response(to: inner, visit, tenant, acceptsGzip)
            response.headers.append(HTTPField(name: .setCookie, value: cookie))
            return response
        }
    }

    /// A page as bytes. Packing HTML that holds a secret gives nothing away here, because no other site can cause a
    /// request with the session: its cookie is `SameSite=Strict`.
    private func html(_ text: String, _ status: HTTPResponse.Status, _ acceptsGzip: Bool) -> Response {
        var headers: HTTPFields = [.contentType: "text/html; charset=utf-8", .vary: "Accept-Encoding, Cookie"]
        var bytes = Array(text.utf8)
        if acceptsGzip, bytes.count >= ConsoleLimits.packedFrom {
            bytes = GzipWriter.pack(bytes, level: 5)
            headers[.contentEncoding] = "gzip"
        }
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private static func redirect(to place: String) -> Response {
        Response(status: .seeOther, headers: [.location: LocalAddress(place).text])
    }

    private func signInFirst(_ visit: Visit) -> Response {
        let next = visit.request.method == .post ? "/" : visit.place
        return Self.redirect(to: next == "/" ? "/sign-in" : "/sign-in?next=" + next.percentEncoded)
    }

    private func missing(
        _ method: Page.Method?, _ path: String, _ visit: Visit, _ acceptsGzip: Bool
    ) throws -> Response {
        guard case .otherMethod(let allowed) = table.match(method, path) else { throw Gatekeeper.notHere }
        return Response(status: .methodNotAllowed, headers: [.allow: allowed])
    }

    private func refusalPage(
        _ error: any Error, _ visit: Visit, _ tenant: Tenant?, _ context: CallContext, _ acceptsGzip: Bool
    ) async -> Response {
        var refusal = error as? Refusal
        if refusal == nil {
            context.logger.error("A page failed", metadata: ["error": "\(error)", "path": "\(visit.request.uri.path)"])
        }
        let shown =
            refusal
            ?? Refusal(
                .unavailable, "server.failed",
                "The server failed at this page. Its log says more under the request's identifier.")
        refusal = shown
        let view = ErrorPage(shown, request: visit.id, home: tenant.map { "/t/\($0.slug)" } ?? "/")
        let bare = bareFrame(view, visit)
        // A refusal must be shown even when what the frame needs can not be had.
        let frame = (try? await frame(view, visit, tenant, live: nil)) ?? bare
        var status = shown.kind.status
        if error as? Refusal == nil { status = .internalServerError }
        var response = html(templates.render(view, in: frame), status, acceptsGzip)
        if let wait = shown.retryAfter {
            response.headers[.retryAfter] = String(max((wait.microseconds + 999_999) / 1_000_000, 1))
        }
        return response
    }

    // MARK: - Coming from another site

    /// Whether a link on another site, or in a mail, was followed: then the browser left the session's cookie out.
    private static func comesFromElsewhere(_ request: Request) -> Bool {
        request.method == .get && request.headers[.cookie] == nil && request.headers[.secFetchSite] == "cross-site"
            && request.headers[.secFetchMode] == "navigate"
    }

    /// A page that asks for the same address once more, now from here, so that the session comes along.
    private func continuation(_ visit: Visit) -> Response {
        // A path that begins with two slashes names another host to whoever follows it.
        let address = LocalAddress(visit.place).text
        return html(templates.render(Continuation(address: address), in: bareFrame(nil, visit)), .ok, false)
    }

    // MARK: - The frame

    private func bareFrame(_ view: (any PageView)?, _ visit: Visit) -> Frame {
        Frame(
            title: view?.title ?? "Tidegate", styles: assets.address("tidegate.css") ?? "",
            script: assets.address("tidegate.js") ?? "", provingScript: assets.address("proving.js") ?? "",
            icons: assets.address("icons.svg") ?? "",
            mark: assets.address("mark.svg") ?? "")
    }

    private func frame(
        _ view: any PageView, _ visit: Visit, _ tenant: Tenant?, live: String?
    ) async throws -> Frame {
        var frame = bareFrame(view, visit)
        frame.live = live
        frame.notice = visit.query.text("done").flatMap { Done(rawValue: $0) }.map {
            .init(text: $0.text, icon: $0.isWarning ? "alert" : "check")
        }
        guard let visitor = visit.visitor else { return frame }
        frame.person = .init(
            name: visitor.name, initials: Self.initials(visitor.name), formToken: visitor.formToken)
        var tenant = tenant
        if tenant == nil, view is any ProfileView { tenant = try await parts.home(of: visitor.principal) }
        guard let tenant else { return frame }
        let home = "/t/\(tenant.slug)"
        let current = type(of: view).menu
        let (allowed, places) = try await parts.reach(of: visitor.principal, in: tenant)
        frame.entries = MenuItem.allCases.filter { allowed.contains($0.permission) }.map {
            .init(label: $0.label, address: home + $0.path, icon: $0.icon, isCurrent: $0 == current)
        }
        frame.places = places.map {
            .init(label: $0.name, address: "/t/\($0.slug)", isCurrent: $0.id == tenant.id)
        }
        frame.hasPlaces = places.count > 1
        frame.tenantName = tenant.name
        frame.tenantAddress = home
        frame.isDemo = tenant.demo
        frame.zone = tenant.timeZone?.text
        if allowed.contains(.alertRead) {
            let count = try await parts.watch.bell(in: tenant.id, by: visitor.principal)
            frame.bell = Frame.Bell(count, address: home + "/alerts")
            // The bell is live on every page of the tenant.
            if !(view is ErrorPage), !(view is any ProfileView) { frame.live = live ?? home + "/live" }
        }
        frame.searchAddress = allowed.contains(.deviceRead) ? home + "/devices" : nil
        return frame
    }

    private static func initials(_ name: String) -> String {
        let words = name.split { !$0.isLetter && !$0.isNumber }
        let letters = words.count > 1 ? [words.first, words.last].compactMap { $0?.first } : Array(name.prefix(2))
        return String(letters).uppercased()
    }
}

/// The page that sends the browser on to where it wanted to go.
struct Continuation: PageView {
    static let template = "continue"
    let title = "One moment"
    let address: String
}

extension Visit {
    fileprivate func with(
        visitor: Visitor?, parameters: [String: String] = [:], form: FormFields = FormFields()
    ) -> Visit {
        Visit(
            id: id, request: request, address: address, realm: realm, parameters: parameters, query: query, form: form,
            visitor: visitor, ended: ended)
    }
}

extension HTTPField.Name {
    static let secFetchMode = HTTPField.Name("Sec-Fetch-Mode") ?? .origin
}
