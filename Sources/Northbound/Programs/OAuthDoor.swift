import Base
import HTTPTypes
import Hummingbird
import NIOCore
import NIOSSL
import OAuth
import Trust

/// Serves the authorization server's addresses: forms in, the JSON of its standards out.
///
/// They are no part of the API's table, because their paths, media types and errors are given by others.
struct OAuthDoor: Sendable {
    private let oauth: OAuth
    private let gatekeeper: Gatekeeper
    private let addresses: RateLimiter<String>
    private let asksForCertificates: Bool

    /// The addresses of this authorization server, on a listener that asks programs for certificates or does not.
    init(_ oauth: OAuth, gatekeeper: Gatekeeper, clock: WallClock, asksForCertificates: Bool) {
        self.oauth = oauth
        self.asksForCertificates = asksForCertificates
        self.gatekeeper = gatekeeper
        addresses = RateLimiter(clock: clock)
    }

    /// Adds the addresses to a router.
    func install(on router: Router<CallContext>) {
        let (oauth, metadata) = (oauth, oauth.issuer.metadata)
        read(.metadata, on: router) { _ in .ok(metadata) }
        read(.openID, on: router) { _ in .ok(metadata) }
        read(.keys, on: router) { _ in .ok(try await oauth.publicKeys()) }
        read(.authorize, on: router) { try await authorize($0.uri.query ?? "") }
        take(.token, on: router) { .ok(try await oauth.token($0)) }
        take(.deviceAuthorization, on: router) { .ok(try await oauth.connect($0)) }
        take(.introspect, on: router) { .ok(try await oauth.introspect($0)) }
        take(.revoke, on: router) {
            try await oauth.revoke($0)
            return Answer(.ok)
        }
    }

    private func read(
        _ path: Issuer.Path, on router: Router<CallContext>,
        _ handle: @escaping @Sendable (Request) async throws -> Answer
    ) {
        serve(.get, path, on: router) { request, _ in try await handle(request) }
    }

    private func take(
        _ path: Issuer.Path, on router: Router<CallContext>,
        _ handle: @escaping @Sendable (OAuthRequest) async throws -> Answer
    ) {
        serve(.post, path, on: router) { request, context in
            try await handle(try await form(request, context))
        }
    }

    private func serve(
        _ method: HTTPRequest.Method, _ path: Issuer.Path, on router: Router<CallContext>,
        _ handle: @escaping @Sendable (Request, CallContext) async throws -> Answer
    ) {
        let place = RouterPath(path.rawValue)
        router.on(place, method: method) { request, context in
            do {
                try admit(context.address)
                return try await handle(request, context).response
            } catch let error as OAuthError {
                return try answer(error, request, context).response
            } catch let refusal as Refusal where refusal.kind == .limited {
                var answer = Self.answer(
                    .tooManyRequests, OAuthError(.temporarilyUnavailable, refusal.message))
                if let wait = refusal.retryAfter { answer.headers[.retryAfter] = "\(max(wait.components.seconds, 1))" }
                return answer.response
            }
        }
        let allowed = method == .get ? "GET, HEAD" : method.rawValue
        for other in [HTTPRequest.Method.get, .post, .put, .patch, .delete] where other != method {
            router.on(place, method: other) { _, _ -> Response in throw MethodNotAllowed(allowed: allowed) }
        }
    }

    private func admit(_ address: String?) throws {
        guard let wait = addresses.take(address ?? "unknown", perSecond: NorthboundLimits.oauthRequestsPerSecond) else {
            return
        }
        throw Refusal(
            .limited, "rate.oauth", "Too many requests from this address. Send fewer.", retryAfter: wait)
    }

    // MARK: - Reading

    private func form(_ request: Request, _ context: CallContext) async throws -> OAuthRequest {
        let type = request.headers[.contentType]?.prefix { $0 != ";" && $0 != " " }.lowercased()
        guard type == "application/x-www-form-urlencoded" else {
            throw OAuthError(.invalidRequest, "Send a form: application/x-www-form-urlencoded.")
        }
        // RFC 6749, section 3.2: what belongs into the form must not lie in logs of addresses.
        guard request.uri.query?.isEmpty ?? true else {
            throw OAuthError(.invalidRequest, "Send everything in the form, nothing in the address.")
        }
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: OAuthLimits.formBytes)
        } catch is NIOTooManyBytesError {
            throw OAuthError(.invalidRequest, "The form is larger than \(OAuthLimits.formBytes) bytes.")
        }
        guard let text = body.getString(at: body.readerIndex, length: body.readableBytes),
            let values = FormText.values(text)
        else { throw OAuthError(.invalidRequest, "The form is badly encoded, or says something twice.") }
        return OAuthRequest(
            form: values, authorization: request.headers[.authorization],
            certificate: asksForCertificates ? await context.peerCertificate() : nil, address: context.address,
            agent: request.headers[.userAgent])
    }

    /// Sends the browser on to the console's page.
    ///
    /// A cookie that is strictly for the same site does not come along with a link from elsewhere, nor with where that
    /// link is sent on to. So the browser gets a page that leads on, and follows it from here.
    private func authorize(_ query: String) async throws -> Answer {
        let target: String
        do {
            switch try await oauth.question(query) {
            case .ask:
                let values = FormText.values(query) ?? [:]
                target = Issuer.Path.consent.rawValue + "?" + FormText.text(values)
            case .answer(let address): return Answer(.seeOther, headers: [.location: address])
            }
        } catch let error as OAuthError {
            return Self.page("This program can not be let in", error.sentence, status: .badRequest)
        }
        return Self.page("One moment", "A program asks to be let in.", next: target)
    }

    private static func page(
        _ title: String, _ sentence: String, status: HTTPResponse.Status = .ok, next: String? = nil
    ) -> Answer {
        let link = next?.markupEscaped
        let html = """
            <!doctype html><html lang="en"><head><meta charset="utf-8"><title>\(title.markupEscaped)</title>
            \(link.map { "<meta http-equiv=\"refresh\" content=\"0;url=\($0)\">" } ?? "")</head>
            <body><main><h1>\(title.markupEscaped)</h1><p>\(sentence.markupEscaped)</p>
            \(link.map { "<p><a href=\"\($0)\">Continue</a></p>" } ?? "")</main></body></html>

            """
        return Answer(
            status, .bytes(Array(html.utf8), mediaType: "text/html; charset=utf-8"),
            headers: [.init("Referrer-Policy") ?? .referer: "no-referrer"])
    }

    // MARK: - Answering

    private func answer(_ error: OAuthError, _ request: Request, _ context: CallContext) throws -> Answer {
        guard error.code == .invalidClient else {
            return Self.answer(error.code == .temporarilyUnavailable ? .serviceUnavailable : .badRequest, error)
        }
        try gatekeeper.countRefused(
            context.address, Refusal(.unauthenticated, "oauth.invalid_client", error.sentence))
        var answer = Self.answer(.unauthorized, error)
        if request.headers[.authorization] != nil { answer.headers[.wwwAuthenticate] = "Basic realm=\"tidegate\"" }
        return answer
    }

    private static func answer(_ status: HTTPResponse.Status, _ error: OAuthError) -> Answer {
        Answer(
            status,
            .json(["error": .string(error.code.rawValue), "error_description": .string(error.sentence)]))
    }
}

extension CallContext {
    /// The certificate of the other end, when the listener asked for one.
    func peerCertificate() async -> Fingerprint? {
        // With HTTP/2 TLS ends in the connection, not in its streams.
        var connection: (any NIOCore.Channel)? = channel
        while let current = connection {
            if let certificate = try? await current.nioSSL_peerCertificate().get(),
                let der = try? certificate.toDERBytes()
            {
                return Fingerprint(ofCertificate: der)
            }
            connection = current.parent
        }
        return nil
    }
}
