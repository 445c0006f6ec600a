import Base

/// Every bound of alerts and their rules, on one page.
public enum WatchLimits {
    /// Rules of one tenant.
    public static let rules = 200
    /// Receivers that one rule names.
    public static let receivers = 50
    /// Seconds that a rule may wait before it tells.
    public static let wait: ClosedRange<Int64> = 0...86_400
    /// Seconds that a rule waits when it does not say.
    public static let usualWait: Int64 = 60
    /// Bytes of a note with which somebody acknowledges.
    public static let noteBytes = 500
    /// Days for which an alert may be silenced.
    public static let silencedDays: Int64 = 90
    /// Alerts on one page.
    public static let page = 1000
    /// Up to how many alerts the bell counts.
    public static let bell = 99
    /// Rounds over a list until one page is full.
    static let devicesShown = 200

    /// Seconds within which devices of a site that go missing belong to the same alert, where they do not pause longer:
    /// a whole site that loses its power is missed over one interval of calls, not at one moment.
    static let waveSeconds: Int64 = 3600
    /// How many times as many devices or tasks an alert must be about as were told, to be told again. While a lost site
    /// shows, over one pause between calls, a rule that waits for a minute tells of a fifth of it: that is told once.
    static let grownTimes = 10
    /// How often a rule tells again of one alert that has grown.
    static let again = 2
    /// Days before its end from which a certificate is told of.
    static let certificateDays: Int64 = 7
    /// Days for which a certificate that has ended is still told of.
    static let endedDays: Int64 = 30
    /// Seconds between two looks at the certificates' ends.
    static let certificateSeconds: Int64 = 3600
    /// Days for which failures of an operation that is over still make an alert after a restart.
    static let operationDays: Int64 = 7
    /// Days after which an alert about an operation closes by itself.
    static let agedDays: Int64 = 30
    /// Days for which closed alerts are kept.
    public static let keptDays: Int64 = 90
    /// Rows that one transaction writes or removes.
    static let rowsAtOnce = 10_000
    /// Alerts that are told of in one transaction.
    static let toldAtOnce = 1000
    /// Alerts that one receiver is told of one by one at a time; more come as one message.
    static let single = 5
    /// Alerts and devices that a message names; of others it says how many there are.
    static let named = 10
    /// Alerts that one message about many names.
    static let listed = 100
    /// People of one role who are told of one alert.
    static let people = 200
    /// Messages about alerts of one tenant that are kept until the queue has room for them.
    static let owed = 10_000
    /// Seconds after which a message is tried again that found the queue full.
    static let fullSeconds: Int64 = 60
    /// Seconds after which a message that still waits is of no use.
    static let messageSeconds: Int64 = 86_400
}
