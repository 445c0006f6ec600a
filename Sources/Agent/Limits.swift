import NIOCore

/// Every bound of the agent, on one page.
package enum AgentLimits {
    /// Bytes of an answer that is kept in memory.
    package static let answerBytes = 4 << 20
    /// Bytes of a proxy's answer to CONNECT.
    static let proxyAnswerBytes = 8 << 10
    /// How long a connection may bring nothing.
    static let patience = TimeAmount.seconds(30)
    /// Bytes of one signed envelope.
    static let envelopeBytes = 1 << 20
    /// Keys of a tenant that are known at once.
    static let keys = 16
    /// Tasks that the journal keeps; the server hands out eight at a time.
    static let openTasks = 16
    /// Texts of one status, as many as the server keeps.
    static let details = 50
    /// Bytes of one text of a status.
    static let detailBytes = 512
    /// Bytes of one line that a task's program says; the rest of a longer one is dropped.
    static let lineBytes = 4096
    /// How long a task's program may go on after it was asked to end.
    static let killAfter = Duration.seconds(10)
    /// How often an interrupted installation is begun again.
    static let installAttempts: Int64 = 5
    /// How often one download is taken up again before it is a failure.
    static let downloadAttempts = 10
    /// How long a new agent may take to reach the server.
    static let selfUpdatePatience = Duration.seconds(120)
    /// Bytes of the file of settings.
    static let settingsBytes = 64 << 10
    /// Bytes of the files that the agent keeps for itself, its journal the largest.
    static let stateBytes = 16 << 20
    /// Bytes of one part of the telemetry buffer: one request to the server.
    static let partBytes = 64 << 10
    /// Files with readings that are taken in one go.
    static let readingsAtOnce = 200
    /// Bytes of one payload of readings.
    package static let payloadBytes = 16 << 10
    /// Bytes of a file below /proc.
    static let procBytes = 1 << 20
    /// Pauses between two calls, whatever the server says.
    package static let pauses: ClosedRange<Int64> = 1...86_399
}
