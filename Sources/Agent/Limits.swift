import NIOCore

/// Every bound of the agent, on one page.
package enum AgentLimits {
    /// Bytes of an answer that is kept in memory.
    package static let answerBytes = 4 << 20
    /// Bytes of a proxy's answer to CONNECT.
    static let proxyAnswerBytes = 8 << 10
    /// How long a connection may bring nothing, beside the time that it takes to send.
    static let patience = TimeAmount.seconds(30)
    /// Bytes in a second that the slowest way to a server takes.
    static let slowestBytes = 128

    /// How long nothing may come when so many bytes are sent first.
    static func patience(for bytes: Int) -> TimeAmount { patience + .seconds(Int64(bytes / slowestBytes)) }
    /// Bytes of one signed envelope.
    static let envelopeBytes = 1 << 20
    /// Keys of a tenant that are known at once.
    static let keys = 16
    /// Bytes of a set of keys with what vouches for them.
    static let keySetBytes = 64 << 10
    /// Vouchers of one set that are looked at.
    static let vouchers = 64
    /// Times that a program which is still open for writing is started again, 10 ms apart.
    static let busyPrograms = 100
    /// Tasks that the journal keeps; the server hands out eight at a time.
    static let openTasks = 16
    /// Events that wait for the server; of more the oldest go.
    static let events = 16
    /// Texts of one status, as many as the server keeps.
    static let details = 50
    /// Bytes of one text of a status.
    static let detailBytes = 512
    /// Bytes of one line that a task's program says; the rest of a longer one is dropped.
    static let lineBytes = 4096
    /// How long a task's program may go on after it was asked to end.
    static let killAfter = Duration.seconds(10)
    /// How long a program's input waits for the line after which it is wanted.
    static let awaitedLine = Duration.seconds(10)
    /// How often an interrupted installation is begun again.
    static let installAttempts: Int64 = 5
    /// How often one download is taken up again before it is a failure.
    static let downloadAttempts = 10
    /// How long a new agent may take to reach the server, each time that it is started.
    static let selfUpdatePatience = Duration.seconds(120)
    /// Seconds after which a new agent is ended that does not even end itself by then.
    static let trialSeconds: UInt32 = 180
    /// How often the agent may start with a configuration on trial.
    static let trialStarts: Int64 = 3
    /// For how long a task that was handed out may be begun without asking whether it is still wanted.
    static let freshFor = Duration.seconds(30)
    /// How long a task that waits for the server's word waits before the next question.
    static let wordPause = Duration.seconds(5)
    /// Bytes of the file of settings.
    static let settingsBytes = 64 << 10
    /// Bytes of the files that the agent keeps for itself, its journal the largest.
    static let stateBytes = 16 << 20
    /// Bytes of one part of the telemetry buffer: one request to the server.
    static let partBytes = 64 << 10
    /// How often a server may refuse pieces of one part before a piece is given up as a whole.
    static let refusalsOfPart = 128
    /// Files with readings that are taken in one go.
    static let readingsAtOnce = 200
    /// Bytes of readings that are kept in memory while the disk takes none.
    static let memoryBytes = 2 << 20
    /// How long the disk is left alone after it failed.
    static let diskPause = Duration.seconds(60)
    /// Bytes of one payload of readings.
    package static let payloadBytes = 16 << 10
    /// Bytes of a file below /proc.
    static let procBytes = 1 << 20
    /// Bytes of what is entered on the set-up page.
    static let setupBytes = 24 << 10
    /// Fields of it.
    static let setupFields = 16
    /// After how long an address that was not to be had is tried again.
    static let setupPause = Duration.seconds(10)
    /// Who may be served there at one time.
    static let setupClients = 8
    /// Seconds that mmcli may take.
    static let modemSeconds: Int64 = 5
    /// Bytes that it may say.
    static let modemBytes = 64 << 10
    /// How long gpsd may take to name a position.
    static let positionPatience = Duration.seconds(4)
    /// Bytes that it may say in that time.
    static let positionBytes = 64 << 10
    /// Pauses between two calls, whatever the server says.
    package static let pauses: ClosedRange<Int64> = 1...86_399
}
