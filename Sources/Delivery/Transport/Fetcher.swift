/// Asks an address by HTTPS and takes its answer, within the same bounds as deliveries: a verified certificate, no
/// redirect, no proxy, no address that the policy does not permit.
public struct Fetcher: Sendable {
    /// Why there was no answer, in words for the log.
    public struct Failure: Error, CustomStringConvertible {
        /// The words.
        public let description: String
    }

    private let policy: NetworkPolicy

    /// Asks only where this policy permits.
    public init(policy: NetworkPolicy) { self.policy = policy }

    /// Sends a request and waits for the whole answer, on the calling thread.
    public func fetch(
        _ method: String, _ address: String, headers: [String], body: [UInt8], authorities: String?, mostBytes: Int
    ) throws -> (status: Int, body: [UInt8]) {
        guard HTTPSAddress(address) != nil else { throw Failure(description: "the address is none of https") }
        do {
            let transfer = try Transfer(policy: policy, authorities: authorities)
            let answer = transfer.answer(
                method: method, address: address, headers: headers, body: body, mostBytes: mostBytes)
            guard case .success(let answer) = answer else {
                if case .failure(let failure) = answer { throw Failure(description: failure.words) }
                throw Failure(description: "no answer")
            }
            return answer
        } catch let failure as Transfer.Failure {
            throw Failure(description: failure.words)
        }
    }
}
