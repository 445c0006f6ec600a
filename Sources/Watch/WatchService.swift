public import Logging
public import ServiceLifecycle

/// Lets alerts follow what happens until the server stops.
public struct WatchService: Service {
    private let watch: Watch
    private let logger: Logger

    /// The service of these alerts.
    public init(_ watch: Watch, logger: Logger = Logger(label: "tidegate.watch")) {
        self.watch = watch
        self.logger = logger
    }

    /// Works once a second.
    public func run() async throws {
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            do {
                try await watch.turn()
            } catch {
                logger.warning("alerts wait for the database", metadata: ["error": "\(error)"])
            }
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
        }
    }
}
