import Base
import HTTPTypes
import Hummingbird

/// What the metrics listener answers: Prometheus text, liveness and readiness.
enum OperatorsRouter {
    /// The router; `readiness` says what is not ready, or nothing when all is.
    static func make(_ metrics: Metrics, readiness: @escaping @Sendable () async -> [String]) -> Router<CallContext> {
        let router = Router(context: CallContext.self, options: .autoGenerateHeadEndpoints)
        router.get("metrics") { _, _ in
            text(.ok, metrics.text(), "text/plain; version=0.0.4; charset=utf-8")
        }
        router.get("healthz") { _, _ in text(.ok, "ok\n") }
        router.get("readyz") { _, _ in
            let missing = await readiness()
            return missing.isEmpty
                ? text(.ok, "ready\n") : text(.serviceUnavailable, missing.map { "not ready: \($0)\n" }.joined())
        }
        return router
    }

    private static func text(
        _ status: HTTPResponse.Status, _ text: String, _ mediaType: String = "text/plain; charset=utf-8"
    ) -> Response {
        var response = Answer(status, .bytes(Array(text.utf8), mediaType: mediaType)).response
        response.headers[.cacheControl] = "no-store"
        return response
    }
}
