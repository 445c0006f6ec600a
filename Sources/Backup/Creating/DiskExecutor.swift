import Dispatch

/// Runs an actor on a thread of its own, so that reading and writing files for minutes holds up nobody.
final class DiskExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "tidegate.backup", qos: .utility)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
