import Base
public import Logging
public import ServiceLifecycle

/// Works out what devices are wanted to be after a layer, a domain or a model changed, a few hundred at a time.
public struct DesiredWorker: Service {
    private let fleet: Fleet
    private let logger: Logger

    /// The worker of this fleet.
    public init(_ fleet: Fleet, logger: Logger = Logger(label: "tidegate.fleet")) {
        self.fleet = fleet
        self.logger = logger
    }

    /// Works until the server stops; what a stop cuts short the next start goes on with.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    while try await fleet.desiredStep(), !Task.isCancelled {}
                } catch {
                    logger.warning("desired documents wait for the database", metadata: ["error": "\(error)"])
                    try? await Task.sleep(for: .seconds(1))
                }
                await fleet.desiredBell.wait(.seconds(30))
            }
        }
    }
}
