import Dispatch
import Synchronization

/// The threads on which transfers run, so that none of them ever blocks the pool that runs the server's tasks.
///
/// Each transfer waits on the network for up to half a minute; the number of threads bounds how many do at once.
final class TransferThreads: Sendable {
    private let queues: [DispatchQueue]
    private let free: Mutex<[Int]>
    private let stopping = Atomic<Bool>(false)
    private let policy: NetworkPolicy

    init(policy: NetworkPolicy) {
        self.policy = policy
        queues = (0..<DeliveryLimits.transfers).map { DispatchQueue(label: "tidegate.delivery.\($0)") }
        free = Mutex(Array(queues.indices))
    }

    /// Ends transfers that are under way.
    func stop() { stopping.store(true, ordering: .relaxed) }

    /// Makes one attempt on a thread of its own; the caller keeps the number of attempts within that of threads.
    func send(_ shipment: Shipment) async -> Outcome {
        guard let place = free.withLock({ $0.popLast() }) else {
            return .failed("too many transfers at once", isOutage: false)
        }
        let outcome = await withCheckedContinuation { continuation in
            queues[place].async { continuation.resume(returning: self.perform(shipment)) }
        }
        free.withLock { $0.append(place) }
        return outcome
    }

    private func perform(_ shipment: Shipment) -> Outcome {
        do {
            let transfer = try Transfer(
                policy: shipment.isGuarded ? policy : nil, authorities: shipment.authorities,
                isStopping: { [self] in stopping.load(ordering: .relaxed) })
            switch shipment.form {
            case .mail(let server, let to, let message): return transfer.mail(message, to: to, through: server)
            case .request(let method, let address, let headers, let body):
                return transfer.request(method: method, address: address, headers: headers, body: body)
            case .lines(let host, let port, let bytes): return transfer.lines(bytes, host: host, port: port)
            }
        } catch let failure as Transfer.Failure {
            return .failed(failure.words, isOutage: true)
        } catch {
            return .failed("libcurl could not be set up", isOutage: true)
        }
    }
}
