import Base
import HTTPTypes
public import Hummingbird
import Logging
import SignIn
import Storage

/// Stands before the router: gives each request its identifier, turns every error into a problem document, adds the
/// header fields that all answers carry, counts and logs.
public struct FrontDoor: HTTPResponder {
    /// What a request carries along.
    public typealias Context = CallContext

    private let router: RouterResponder<CallContext>
    private let site: PeopleSite?
    private let counts: RequestCounts
    private let proxies: TrustedProxies
    private let realm: Realm
    private let clock = ContinuousClock()

    /// The front door of one listener, in front of the routes of `table` and of the pages of `site`.
    init(
        _ table: RouteTable, listener: String, gatekeeper: Gatekeeper, caller: CallerSource, repetitions: Repetitions?,
        metrics: Metrics, site: PeopleSite? = nil, oauth: OAuthDoor? = nil,
        proxies: TrustedProxies = TrustedProxies(), realm: Realm = .people
    ) {
        self.site = site
        self.proxies = proxies
        self.realm = realm
        router = Self.router(table, gatekeeper, caller, repetitions, oauth)
        counts = RequestCounts(metrics, listener: listener)
    }

    private static func router(
        _ table: RouteTable, _ gatekeeper: Gatekeeper, _ caller: CallerSource, _ repetitions: Repetitions?,
        _ oauth: OAuthDoor?
    ) -> RouterResponder<CallContext> {
        let router = Router(context: CallContext.self, options: .autoGenerateHeadEndpoints)
        oauth?.install(on: router)
        for (path, routes) in table.byPath {
            let routerPath = RouterPath(path)
            for route in routes {
                let endpoint = Endpoint(
                    route: route, gatekeeper: gatekeeper, caller: caller, repetitions: repetitions)
                router.on(routerPath, method: route.method, responder: endpoint)
            }
            let methods = routes.map(\.method)
            let allowed = (methods + (methods.contains(.get) ? [.head] : []) + [.options]).map(\.rawValue)
            let allow = allowed.sorted().joined(separator: ", ")
            var options: HTTPFields = [.allow: allow]
            if table.takesUploads(path) { options.append(contentsOf: ResumableUpload.options) }
            router.on(routerPath, method: .options) { [options] _, _ in Response(status: .noContent, headers: options) }
            for method in [HTTPRequest.Method.get, .post, .put, .patch, .delete] where !methods.contains(method) {
                router.on(routerPath, method: method) { _, _ -> Response in
                    throw MethodNotAllowed(allowed: allow)
                }
            }
        }
        return router.buildResponder()
    }

    /// The answer to one request, whatever it is.
    public func respond(to request: Request, context: CallContext) async throws -> Response {
        let start = clock.now
        var context = context
        context.realm = realm
        context.address = proxies.caller(behind: context.address, request.headers[values: .forwardedFor])
        var response: Response
        do {
            try request.requireOneMeaning()
            if let site, !Self.isForPrograms(request.uri.path) {
                response = try await site(request, context)
            } else {
                response = try await router.respond(to: request, context: context)
                // The router answers by itself, without a body, only where it knows no such address.
                if response.status == .notFound { throw Gatekeeper.notHere }
            }
        } catch {
            let problem = Self.problem(error, context)
            response = Answer(problem.status, .json(problem.value), headers: problem.headers).response
            if let error = error as? MethodNotAllowed { response.headers[.allow] = error.allowed }
            response.headers[.contentType] = Problem.mediaType
        }
        // A client of resumable uploads wants to see the version with refusals as well.
        if request.headers[.tusResumable] != nil { response.headers[.tusResumable] = ResumableUpload.version }
        Self.addStandingHeaders(to: &response, id: context.id)
        let duration = clock.now - start
        counts.count(status: response.status.code, duration: duration)
        log(request, response, duration, context)
        return response
    }

    /// Whether an address belongs to an interface for programs, whose errors are problem documents.
    private static func isForPrograms(_ path: String) -> Bool {
        ["/api/", "/oauth/", "/.well-known/"].contains { path.hasPrefix($0) }
    }

    private static func problem(_ error: any Error, _ context: CallContext) -> Problem {
        switch error {
        case let refusal as Refusal: return Problem(refusal, request: context.id)
        case let error as MethodNotAllowed:
            let refusal = Refusal(.invalid, "method.notAllowed", "This address takes \(error.allowed).")
            return Problem(refusal, request: context.id, status: .methodNotAllowed)
        case is CancellationError:
            let refusal = Refusal(
                .unavailable, "server.stopping", "The server is stopping. Try again soon.", retryAfter: .seconds(5))
            return Problem(refusal, request: context.id)
        case let error as StorageError where error.code == .unavailable:
            context.logger.error("The database can not be reached", metadata: ["error": "\(error)"])
            let refusal = Refusal(
                .unavailable, "database.unavailable", "The database can not be reached. Try again soon.",
                retryAfter: .seconds(5))
            return Problem(refusal, request: context.id)
        default:
            context.logger.error("A request failed", metadata: ["error": "\(error)"])
            let refusal = Refusal(
                .unavailable, "server.failed",
                "The server failed at this request. Its log says more under the request's identifier.")
            return Problem(refusal, request: context.id, status: .internalServerError)
        }
    }

    private static func addStandingHeaders(to response: inout Response, id: String) {
        response.headers[.requestID] = id
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.strictTransportSecurity] = "max-age=31536000"
        if response.headers[.contentSecurityPolicy] == nil {
            response.headers[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'"
        }
    }

    private func log(_ request: Request, _ response: Response, _ duration: Duration, _ context: CallContext) {
        let code = response.status.code
        // The query is left out: it is the caller's, and may hold what belongs in no log.
        context.logger.log(
            level: code >= 500 ? .error : request.method == .get || request.method == .head ? .debug : .info,
            "Request answered",
            metadata: [
                "method": "\(request.method.rawValue)", "path": "\(request.uri.path)", "status": "\(code)",
                "address": "\(context.address ?? "local")", "milliseconds": "\(duration.microseconds / 1000)",
            ])
    }
}

/// The address is known but takes other methods; which ones is public knowledge, in the document.
struct MethodNotAllowed: Error {
    let allowed: String
}

/// The counts and durations of one listener's requests.
private struct RequestCounts {
    private let byClass: [Counter]
    private let durations: Histogram

    init(_ metrics: Metrics, listener: String) {
        byClass = (1...5).map { hundred in
            metrics.counter(
                "tidegate_http_requests_total", "Requests answered.",
                ["listener": listener, "status": "\(hundred)xx"])
        }
        durations = metrics.histogram(
            "tidegate_http_request_seconds", "Time from a request's header to its answer's.", ["listener": listener],
            bounds: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10])
    }

    func count(status: Int, duration: Duration) {
        byClass[min(max(status / 100, 1), 5) - 1].add()
        durations.observe(duration)
    }
}
