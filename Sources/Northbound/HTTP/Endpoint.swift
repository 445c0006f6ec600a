import Access
import Base
import HTTPTypes
public import Hummingbird
import Logging
import SignIn

/// Serves one route: admits the caller, reads the request, calls the handler.
///
/// The order is part of the design. A caller without a credential learns nothing but that one is needed; one who is
/// not for this tenant gets the answer for absent things whatever else is wrong with the request.
struct Endpoint: HTTPResponder {
    typealias Context = CallContext

    let route: Route
    let gatekeeper: Gatekeeper
    let caller: CallerSource
    let repetitions: Repetitions?

    func respond(to request: Request, context: CallContext) async throws -> Response {
        let answer: Answer
        switch route.handler {
        case .open(let handle):
            answer = try await handle(try await input(request, context, path: Fields([:])).input)
        case .known(let handle):
            let principal = try await identify(request, context)
            let path = try RequestReader.path(route, context.parameters)
            let slug = try route.isInTenant ? path.slug("tenant") : .platform
            let tenant = try await gatekeeper.admit(principal, route.requirement, slug)
            try gatekeeper.count(principal, tenant)
            if route.isInTenant {
                try await gatekeeper.noteStaff(principal, tenant, route.operation, request.uri.path)
            }
            let (input, bytes) = try await input(request, context, path: path)
            let call = Call(input: input, principal: principal, tenant: tenant)
            if let key = request.headers[.idempotencyKey], route.isRepeatable, let repetitions {
                let id = try RepetitionKey(key, call: call, route: route, body: bytes)
                answer = try await repetitions.once(id, isSecret: route.showsSecret) { try await handle(call) }
            } else {
                answer = try await handle(call)
            }
        }
        return answer.response
    }

    private func identify(_ request: Request, _ context: CallContext) async throws -> Principal {
        switch caller {
        case .fixed(let principal): return principal
        case .bearer:
            do {
                guard let field = request.headers[.authorization] else { throw Gatekeeper.noCredential }
                let parts = field.split(separator: " ", maxSplits: 1)
                guard parts.count == 2, parts[0].lowercased() == "bearer" else { throw Gatekeeper.noCredential }
                let token = parts[1].trimmingPrefix { $0 == " " }
                let principal = try await gatekeeper.authenticate(String(token), context.address)
                // The platform's staff have a listener of their own, for what programs hold of theirs as well.
                guard principal.kind != .user || Realm(of: principal.tenant) == context.realm else {
                    throw Gatekeeper.otherListener
                }
                return principal
            } catch let refusal as Refusal where refusal.kind == .unauthenticated {
                try gatekeeper.countRefused(context.address, refusal)
                throw refusal
            }
        }
    }

    private func input(
        _ request: Request, _ context: CallContext, path: Fields
    ) async throws -> (input: Input, bytes: [UInt8]) {
        let query = try RequestReader.query(route, request.uri.query)
        var body = Fields([:])
        var bytes: [UInt8] = []
        if case .json(let shape) = route.body {
            let buffer = try await RequestReader.collect(request)
            body = try RequestReader.json(buffer, shape, mediaType: request.headers[.contentType])
            bytes = Array(buffer.readableBytesView)
        }
        let input = Input(
            id: context.id, path: path, query: query, body: body, request: request, address: context.address,
            logger: context.logger)
        return (input, bytes)
    }
}

extension Answer {
    /// The HTTP response; the headers that every response has are added where all pass.
    public var response: Response {
        var headers = headers
        switch content {
        case .none: return Response(status: status, headers: headers)
        case .json(let value):
            headers[.contentType] = "application/json"
            return Response(
                status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: value.canonical)))
        case .bytes(let bytes, let mediaType):
            headers[.contentType] = mediaType
            return Response(
                status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        case .stream(let body, let mediaType):
            headers[.contentType] = mediaType
            return Response(status: status, headers: headers, body: body)
        }
    }
}

extension HTTPField.Name {
    static let forwardedFor = HTTPField.Name("X-Forwarded-For") ?? .ifMatch
    static let idempotencyKey = HTTPField.Name("Idempotency-Key") ?? .ifMatch
    static let idempotencyReplayed = HTTPField.Name("Idempotency-Replayed") ?? .ifMatch
    static let requestID = HTTPField.Name("Request-Id") ?? .ifMatch
}
