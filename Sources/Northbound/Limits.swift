/// Every bound of the people's side, on one page.
public enum NorthboundLimits {
    /// Bytes of a JSON body that is read whole.
    public static let bodyBytes = 1 << 20
    /// Bytes of a streamed upload: 100,000 devices in one call.
    public static let uploadBytes = 256 << 20
    /// Bytes of one line of a streamed upload.
    public static let uploadLineBytes = 64 << 10
    /// Bytes of what the header says of a file that is to come.
    static let uploadMetadataBytes = 4096
    /// Levels that a JSON body may nest.
    public static let jsonDepth = 16
    /// Wrong places reported in one problem document.
    public static let faults = 20
    /// Elements of one page of a list.
    public static let pageSize = 1000
    /// Elements of a page when the caller does not say.
    public static let defaultPageSize = 100
    /// Characters of a cursor.
    public static let cursorCharacters = 1024
    /// Characters of an idempotency key.
    public static let idempotencyKeyCharacters = 128
    /// Bytes of an answer that is kept for replay.
    public static let replayedAnswerBytes = 256 << 10
    /// Series in one telemetry query.
    public static let querySeries = 32
    /// Steps in one telemetry query.
    public static let querySteps: Int64 = 1_000_000
    /// Requests a second of a tenant whose plan is not known.
    public static let requestsPerSecond = 100
    /// Bytes of one header field, and of all together.
    public static let headerBytes = 32 << 10
    /// Number of header fields.
    public static let headerFields = 100
    /// Seconds in which a TLS handshake must be done.
    public static let handshakeSeconds = 10
    /// Seconds that a connection may be idle.
    public static let idleSeconds = 75
    /// Seconds of waiting on a slow sender that are forgiven before the least rate counts.
    public static let slowGraceSeconds = 15
    /// Bytes a second that a sender must reach beyond the grace.
    public static let slowBytesPerSecond = 1024
    /// Seconds that a receiver may take nothing.
    public static let stalledSeconds = 60
    /// Connections at one time on the people listener.
    public static let connections = 2000
    /// Connections at one time on the administration socket.
    public static let adminConnections = 64
    /// Connections at one time on the metrics listener.
    public static let metricsConnections = 32
    /// Live streams at one time, of one tenant.
    public static let liveStreamsPerTenant = 100
    /// Seconds between two signs of life in a live stream, and between two checks of its permission.
    public static let liveHeartbeatSeconds = 10
    /// Records that wait in a live stream before the oldest are dropped.
    public static let liveBuffer = 256
    /// Callers whose rates are remembered.
    public static let rememberedRates = 20_000
    /// Requests a second to the authorization server from one address.
    public static let oauthRequestsPerSecond = 20
    /// Refused credentials a second from one address.
    public static let refusedCredentialsPerSecond = 10
}
