import Audit
public import Base
public import Logging
public import ServiceLifecycle

/// Makes a backup now and then, and keeps the newest ones.
public struct BackupService: Service {
    /// The rest after the start before the first look, so that a start is not slowed.
    static let firstRest = Duration.seconds(60)
    /// The longest rest: the time of day may jump while a server rests.
    static let longestRest = Duration.seconds(3600)
    /// The rest after a failure.
    static let restAfterFailure = Duration.seconds(600)

    private let backups: Backups
    private let directory: String
    private let keysDirectory: String
    private let every: Duration
    private let keep: Int
    private let clock: WallClock
    private let logger: Logger

    /// Makes one in `directory` whenever the newest there is older than `every`, and then keeps the newest `keep`.
    public init(
        _ backups: Backups, directory: String, keysIn keysDirectory: String? = nil, every: Duration, keep: Int,
        clock: WallClock = .system, logger: Logger = Logger(label: "tidegate.backup")
    ) {
        self.backups = backups
        self.directory = directory
        self.keysDirectory = keysDirectory ?? directory
        self.every = every
        self.keep = keep
        self.clock = clock
        self.logger = logger
    }

    /// Makes backups until the server stops.
    public func run() async throws {
        var rest = Self.firstRest
        while true {
            try? await cancelWhenGracefulShutdown { [rest] in try await Task.sleep(for: rest) }
            if Task.isShuttingDownGracefully || Task.isCancelled { return }
            // A stop does not wait for the rest of a backup: the next start finds one due and makes it.
            rest = await cancelWhenGracefulShutdown { await round() }
        }
    }

    /// Makes a backup when one is due, and answers how long to rest.
    func round() async -> Duration {
        do {
            let newest = try BackupPair.list(in: directory).last
            // A newest one from the future tells of a clock that was wrong, not of a backup that is fresh.
            if let newest, newest.created <= clock.now {
                let age = clock.now - newest.created
                if age < every { return min(every - age, Self.longestRest) }
            }
            _ = try await backups.create(in: directory, keysIn: keysDirectory, by: .system("backup"))
            try await backups.prune(in: directory, keysIn: keysDirectory, keep: keep)
            return min(every, Self.longestRest)
        } catch let refusal as Refusal where refusal.code == "backup.underWay" {
            return Self.restAfterFailure
        } catch is CancellationError {
            return Self.restAfterFailure
        } catch {
            logger.error("the next backup is tried soon", metadata: ["reason": "\(error)"])
            return Self.restAfterFailure
        }
    }
}
