import ServiceLifecycle
import Storage
import Synchronization

/// Asks the database now and then whether it answers, so that readiness can say so without asking it each time.
final class DatabaseProbe: Service {
    /// The time between two questions.
    private static let interval = Duration.seconds(2)
    /// An answer that is older counts as none: a database that hangs refuses nothing.
    private static let longest = Duration.seconds(10)

    private let database: Database
    private let state = Mutex<(answered: ContinuousClock.Instant, isGood: Bool)>((.now, true))

    init(_ database: Database) {
        self.database = database
    }

    /// Why the database can not be counted on now, when it can not.
    var failure: String? {
        state.withLock { $0.isGood && ContinuousClock.now - $0.answered < Self.longest }
            ? nil : "the database does not answer"
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                let isGood = (try? await database.platform.read { _ = try $0.row("SELECT 1") }) != nil
                state.withLock { $0 = (.now, isGood) }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }
}
