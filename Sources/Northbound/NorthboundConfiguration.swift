public import NIOSSL

/// Where the people's side listens; a listener that is nil is not opened.
public struct NorthboundConfiguration: Sendable {
    /// The people listener.
    public var people: ListenerAddress?
    /// The listener for programs that prove themselves by a certificate; it asks each for one.
    public var programs: ListenerAddress?
    /// The listener where the platform's staff sign in.
    public var platform: ListenerAddress?
    /// The operator's own proxies, whose word counts about who calls.
    public var trustedProxies = TrustedProxies()
    /// The path of the administration socket.
    public var adminSocket: String?
    /// The metrics listener, on a loopback address.
    public var metrics: ListenerAddress?
    /// How long a caller may take nothing of its answer.
    var stall: Duration = .seconds(NorthboundLimits.stalledSeconds)
    /// Certificate and key of the people listener, asked for at the start and at every reload.
    public var tls: @Sendable () throws -> TLSConfiguration

    /// Listeners at these places, with the certificate that `tls` answers with.
    public init(
        people: ListenerAddress? = nil, programs: ListenerAddress? = nil, adminSocket: String? = nil,
        metrics: ListenerAddress? = nil,
        tls: @escaping @Sendable () throws -> TLSConfiguration
    ) {
        self.people = people
        self.programs = programs
        self.adminSocket = adminSocket
        self.metrics = metrics
        self.tls = tls
    }
}
