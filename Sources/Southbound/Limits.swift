/// Every bound of the device side that is fixed, on one page; what an operator may change is in `SouthboundLimits`.
enum Limits {
    /// Bytes in one header field of a request; a certificate in a header has no business here.
    static let headerFieldBytes = 8 * 1024
    /// Bytes in all header fields and the target of one request.
    static let headerBytes = 16 * 1024
    /// Bytes that wait to be understood: the head of a request that has not come whole, and what came with it.
    static let undecodedBytes = 64 * 1024
    /// Header fields in one request.
    static let headerFields = 64
    /// Bytes in a request's target.
    static let targetBytes = 1024
    /// Parsed parts of pipelined requests that wait behind the one being answered.
    static let pipelinedParts = 64
    /// Bytes of a refused request's body that are read and dropped to keep the connection.
    static let droppedBodyBytes = 64 * 1024
    /// Bytes in user name and password of HTTP Basic, decoded.
    static let basicCredentialBytes = 512
    /// Bytes that may wait in a channel before it counts as not writable, and below which it is again.
    static let outboundBytes = 16 * 1024..<64 * 1024
    /// Bytes that the kernel holds for a peer, doubled by it; left to itself it goes up to megabytes for one that does not
    /// take them.
    static let kernelBytes = 128 * 1024
    /// Bytes of one read from a socket: the first and the most.
    static let readBytes = 512..<16 * 1024
    /// Connections that the kernel holds until they are accepted.
    static let backlog = 4096
    /// Devices that send over HTTPS whose rates are remembered before the quiet ones are forgotten.
    static let rememberedRates = 10_000
    /// Bytes in one request for ThingsBoard's attributes.
    static let attributeRequestBytes = 4 * 1024
    /// Bytes of the name by which a device calls the server.
    static let hostBytes = 255
    /// Words of one MQTT connection about tasks that wait for the database; it is read again when one is kept.
    static let taskWords = 8
    /// Bytes of what a device says of a task.
    static let statusBytes = 64 * 1024
    /// Bytes of what a device says of itself over HTTPS; Fleet has the bound on the document.
    static let reportedBytes = 128 * 1024
    /// Bytes in the body of one request of an update client.
    static let ddiBodyBytes = 128 * 1024
    /// Values in a body that an update client sends in CBOR.
    static let ddiBodyItems = 16 * 1024
    /// Texts that are taken from one feedback; clients in use send up to 48.
    static let ddiDetails = 50
    /// Texts of an action's history that go with a deployment.
    static let ddiHistory = 100
    /// Bytes of who says that a device agrees to every install, and of what they say beside it.
    static let initiatorBytes = 64
    static let remarkBytes = 512
    /// Bytes in the name of an attribute that an update client tells.
    static let attributeNameBytes = 128
    /// Devices of which is remembered that they have told their attributes.
    static let rememberedAttributes = 1_000_000
    /// Different lengths of a pause for which the answer to an empty poll is kept ready.
    static let readyPolls = 4096
    /// Parts of a file in one request.
    static let ranges = 64
    /// Bytes of a download that are read at once; so many of each wait in memory.
    static let downloadBytes = 64 * 1024
    /// Bytes that arrive while a protocol's handlers are being installed.
    static let earlyBytes = 64 * 1024
}

/// The bounds on devices and strangers that an operator may change.
public struct SouthboundLimits: Sendable, Hashable {
    /// Connections open at once, on all device-facing listeners.
    public var connections = 100_000
    /// Connections open at once from one address, or one /64 of IPv6; many devices share the address of a carrier.
    public var connectionsPerAddress = 20_000
    /// Handshakes under way at once; beyond it the oldest gives way.
    public var handshakes = 4096
    /// Handshakes under way at once from one address.
    public var handshakesPerAddress = 1024
    /// Connections accepted in a second on each listener; more wait in the kernel's queue.
    public var acceptsPerSecond = 5000
    /// How long a handshake may take.
    public var handshakeTime: Duration = .seconds(10)
    /// How long a peer without a certificate may take for its first or next request.
    public var strangerTime: Duration = .seconds(10)
    /// How long a device's HTTP connection may stay without a request.
    public var idleTime: Duration = .seconds(300)
    /// How long an answer may wait for a peer that does not read.
    public var writeTime: Duration = .seconds(30)
    /// How long the server works on an answer before it gives up.
    public var answerTime: Duration = .seconds(60)
    /// The slowest body that is waited for, in bytes a second, after the first ten seconds.
    public var bodyBytesPerSecond = 128
    /// Bytes in the body of one telemetry request, as it is sent.
    public var telemetryBodyBytes = 1024 * 1024
    /// Bytes of unfinished bodies on all connections together.
    public var bufferedBodyBytes = 256 * 1024 * 1024
    /// Enrolments worked on at once: each signs and writes to the database.
    public var enrolmentsAtOnce = 8
    /// Enrolments that wait for their turn.
    public var enrolmentsWaiting = 256
    /// Reports (documents, events, questions) of all MQTT connections that wait for the database.
    public var reports = 10_000
    /// Bytes of those reports, beyond which no further one is taken.
    public var reportBytes = 64 * 1024 * 1024
    /// Reports of one connection that wait for the database; it is read again when one is done.
    public var reportsPerConnection = 64
    /// Reports that one transaction keeps.
    public var reportsInGroup = 256
    /// Requests of update clients that are worked on at once, beside polls, which take no time.
    public var deviceWorkAtOnce = 512
    /// Requests of update clients that wait for their turn.
    public var deviceWorkWaiting = 10_000
    /// Words of devices about their tasks that one transaction keeps.
    public var feedbackInGroup = 256
    /// Devices that are given their work in one transaction.
    public var envelopesInGroup = 64
    /// Downloads under way at once, half of them of one tenant.
    public var downloads = 2000
    /// Downloads that wait for their turn or for their tenant's rate, each with a file open, half of them of one tenant;
    /// who waits for its rate beyond that keeps its place among those under way.
    public var waitingDownloads = 10_000
    /// Downloads that one device may have, waiting or under way; clients in use have one.
    public var downloadsPerDevice = 4
    /// How long a download goes on before it lets those that wait have their turn: few seconds, because RAUC's updater
    /// gives up after a minute in which nothing comes.
    public var downloadTurn: Duration = .seconds(1)
    /// How long a download waits for its turn behind others.
    public var downloadQueueTime: Duration = .seconds(600)
    /// How long a download waits for a device that takes nothing of it.
    public var downloadStallTime: Duration = .seconds(120)
    /// How long connections get to finish when the server stops.
    public var drainTime: Duration = .seconds(10)

    /// The defaults.
    public init() {}
}
