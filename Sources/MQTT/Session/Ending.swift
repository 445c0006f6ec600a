/// How a session's connection ended and what is left to do; the owner sends what was written and closes.
public struct Ending: Sendable {
    /// Who ended it.
    public enum Cause: Sendable, Equatable {
        /// The client said goodbye.
        case client
        /// The owner ended or refused it.
        case server
        /// The network connection broke.
        case lost
        /// The client was silent for too long.
        case silence
        /// The client broke the specification or a limit.
        case violation(String)
    }

    /// Who ended it.
    public var cause: Cause
    /// The reason that was given, or would have been had the version a way to say it.
    public var reason: ReasonCode
    /// The message to publish because the client did not say goodbye, or asked for it (section 3.1.2.5).
    public var will: Will?
    /// How many seconds to wait before publishing the will; drop it if the client resumes its session within that time
    /// [MQTT-3.1.3-9]. Never longer than the session is kept.
    public var willDelay: UInt32 = 0
    /// The session to keep, or nil when it ends with the connection.
    public var state: SessionState?
}
