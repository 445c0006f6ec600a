import Base

/// One attempt, ready to be made: where to, and the bytes.
struct Shipment: Sendable, Hashable {
    enum Form: Sendable, Hashable {
        case mail(MailServer, to: MailAddress, message: [UInt8])
        case request(method: String, address: String, headers: [String], body: [UInt8])
        case lines(host: String, port: Int, [UInt8])
    }

    var form: Form
    /// The certificates (PEM) to trust instead of the system's.
    var authorities: String?
    /// False for the operator's own mail server, which may be anywhere.
    var isGuarded = true
}
