/// Every bound of this target, on one page.
public enum DeliveryLimits {
    /// Mails, and as many text messages, of one tenant that wait or rest; one more is refused.
    public static let queued = 10_000
    /// Events that wait for one webhook; the audit stream goes on behind them when there is room again.
    public static let queuedEvents = 2000
    /// Bytes of one message as it is kept.
    public static let messageBytes = 4 << 20
    /// Bytes of a mail's subject, before it is encoded.
    public static let subjectBytes = 500
    /// Bytes of a text message.
    public static let smsBytes = 1000
    /// Files that a mail carries.
    public static let attachments = 8
    /// Bytes of a webhook's event name.
    public static let eventBytes = 100
    /// Outlets of one tenant.
    public static let outlets = 100
    /// Bytes of an outlet's address.
    public static let addressBytes = 2000
    /// Bytes of each template of an SMS gateway.
    public static let templateBytes = 4000
    /// Header fields that an SMS gateway's template adds.
    public static let templateHeaders = 20
    /// Bytes of an outlet's secret.
    public static let secretBytes = 1000
    /// Bytes of the certificates that an outlet trusts.
    public static let authorityBytes = 64 << 10
    /// Event prefixes that a webhook takes.
    public static let events = 50
    /// Rows of one page.
    public static let page = 1000

    /// Attempts after which a delivery becomes a dead letter.
    static let attempts = 12
    /// Seconds after which what still waits becomes a dead letter, however often it was tried.
    static let waitingSeconds: Int64 = 2 * 86_400
    /// Attempts after which a message that the receiver refuses becomes a dead letter, where minds may change.
    static let refusedAttempts = 5
    /// Transfers at one time, and so threads.
    static let transfers = 48
    /// Transfers at one time to outlets whose last attempt failed: what hangs never takes the room of what works.
    static let suspectTransfers = 16
    /// Transfers at one time for one tenant.
    static let transfersPerTenant = 8
    /// Those of them to outlets whose last attempt failed, so that what hangs leaves room for what works.
    static let suspectTransfersPerTenant = 4
    /// Those of them that are no mails and text messages, so that links and codes never wait for an application.
    static let eventTransfersPerTenant = 6
    /// Tests by hand at one time, whose outlets may well hang.
    static let trials = 12
    /// Tests by hand at one time by one tenant.
    static let trialsPerTenant = 2
    /// Tenants whose events are put into the queue at one time.
    static let streamingTenants = 16
    /// Transfers at one time from one tenant through one outlet.
    static let transfersPerLane = 2
    /// Lanes that one look for due deliveries passes at most.
    static let lanesPerLook = 2000
    /// Bytes of an HTTP answer that are read before the transfer ends.
    static let answerBytes = 64 << 10
    /// Seconds in which a connection with its handshake must stand.
    static let connectSeconds = 10
    /// Seconds in which a transfer must be done.
    static let transferSeconds = 30
    /// Seconds for which a claim holds: longer than any transfer.
    static let claimSeconds: Int64 = 45
    /// Seconds that a transfer may go on after the server was told to stop.
    static let stopSeconds = 3
    /// Audit entries that a stream takes at once.
    static let streamedEntries = 500
    /// Bytes of one line of syslog: what receivers of RFC 5425 should take (section 4.3.1).
    static let syslogBytes = 8192
    /// Rows that retention removes in one transaction.
    static let removedRows = 1000
}
