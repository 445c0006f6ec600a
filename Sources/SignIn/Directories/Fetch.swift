/// A request to a provider, by HTTPS only.
public struct FetchRequest: Sendable, Hashable {
    /// The method.
    public var method: String
    /// The address.
    public var address: String
    /// Header lines, `Name: value`.
    public var headers: [String]
    /// The body.
    public var body: [UInt8]
    /// The certificates to trust, in PEM form, instead of the system's.
    public var authorities: String?
    /// Bytes of the longest answer.
    public var mostBytes: Int
}

/// What a provider answered.
public struct FetchAnswer: Sendable, Hashable {
    /// The HTTP status.
    public var status: Int
    /// The body.
    public var body: [UInt8]

    /// This status with this body.
    public init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// Sends a request to an address that the operator's policy permits, and waits for the answer on the calling thread.
public typealias Fetch = @Sendable (FetchRequest) throws -> FetchAnswer

/// The same on threads where waiting harms nobody.
typealias Ask = @Sendable (FetchRequest) async throws -> FetchAnswer
