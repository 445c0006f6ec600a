import Base
import HTTPTypes
import Hummingbird
import HummingbirdCore

extension Request {
    /// Refuses a request that two readers could take in two ways.
    ///
    /// Another host beside the request's own may be the one that a proxy before us went by (RFC 9112, section 3.2), and a
    /// body in an encoding would be taken for what it is not, since no address here decodes any.
    func requireOneMeaning() throws(Refusal) {
        let authority = head.authority?.lowercased()
        guard headers[values: .host].allSatisfy({ $0.lowercased() == authority }) else {
            throw Refusal(.invalid, "request.host", "The request names more than one host.")
        }
        guard headers[values: .contentEncoding].allSatisfy({ $0.lowercased() == "identity" }) else {
            throw Refusal(.invalid, "request.encoding", "Send the body as it is, without Content-Encoding.")
        }
    }
}

extension HTTPField.Name {
    /// The first of a request is its authority already.
    fileprivate static let host = HTTPField.Name("Host") ?? .origin
}
