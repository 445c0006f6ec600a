public import Base
public import NIOCore

/// The way in for one device's readings: its place in the log, and the lane that it shares.
///
/// A payload is accepted whole or refused whole, so an acknowledgement never covers a reading that was dropped. To be
/// used on the lane's event loop only.
public struct DeviceIngest: Sendable {
    /// What one accepted payload became.
    public struct Accepted: Sendable {
        /// Durable when the appender says that this ticket is.
        public var ticket: UInt64
        /// How many values it held.
        public var values: Int
        /// How many more were text and are not kept; `leftOut` names their series.
        public var texts = 0
    }

    /// What became of a body of lines, in which each has its own verdict.
    public struct AcceptedLines: Sendable {
        /// What was accepted; nil when nothing was.
        public var accepted: Accepted?
        /// How many lines were accepted.
        public var lines = 0
        /// Why the others were refused, in the order of lines.
        public var refused: [Refusal] = []
    }

    let slot: UInt32
    let lane: IngestLane

    /// Takes one payload; without a format its own bytes tell it.
    ///
    /// Text is not kept as telemetry. Where the model takes undeclared series, the other values of the payload are kept,
    /// and the answer says what was left out; a payload of nothing but text is refused.
    public func accept(_ payload: ByteBuffer, as format: TelemetryFormat? = nil) throws(Refusal) -> Accepted {
        try lane.accept(payload, as: format, from: slot)
    }

    /// Takes a newline-delimited body, in which each line has its own verdict.
    public func acceptLines(
        _ payload: ByteBuffer, as format: TelemetryFormat? = nil
    ) throws(Refusal) -> AcceptedLines {
        try lane.acceptLines(payload, as: format, from: slot)
    }

    /// Why texts of the last payload were left out, for its sender; ask before the next payload.
    public var leftOut: Refusal { lane.leftOut }
}
