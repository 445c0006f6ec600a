import Base
public import Logging
public import ServiceLifecycle

/// Works out what devices are wanted to be after a layer, a domain or a model changed, a few hundred at a time.
public struct DesiredWorker: Service {
    private let fleet: Fleet
    private let logger: Logger
    /// What was ordered before this is of an earlier run of the server.
    private let started: Timestamp

    /// The worker of this fleet.
    public init(_ fleet: Fleet, logger: Logger = Logger(label: "tidegate.fleet")) {
        self.fleet = fleet
        self.logger = logger
        started = fleet.clock.now
    }

    private var failed: DesiredPauses.Report {
        { [logger] tenant, error in
            logger.error(
                "a tenant's desired documents wait because the work on them failed",
                metadata: ["tenant": "\(tenant)", "error": "\(error)"])
        }
    }

    /// Works until the server stops; what a stop cuts short the next start goes on with.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var isSwept = false
            while !Task.isCancelled {
                do {
                    if !isSwept { try await fleet.dropHalfMadeEdits(before: started) }
                    isSwept = true
                    while try await fleet.desiredStep(failed), !Task.isCancelled {}
                } catch {
                    logger.warning("desired documents wait for the database", metadata: ["error": "\(error)"])
                    try? await Task.sleep(for: .seconds(1))
                }
                await fleet.desiredBell.wait(.seconds(30))
            }
        }
    }
}
