/// How much one payload may ask of the server.
public struct InputLimits: Hashable, Sendable {
    /// Bytes of one payload as it came.
    public var payloadBytes = 1 << 20
    /// Bytes of one payload after gzip.
    public var inflatedBytes = 4 << 20
    /// How many times larger than the gzip body its content may be, once it exceeds `inflatedFloor`.
    public var inflationRatio = 100
    /// Content up to this many bytes is accepted at any ratio, because small repetitive bodies shrink a lot.
    public var inflatedFloor = 64 << 10
    /// Values of one payload.
    public var readings = 65_536
    /// Lines of one newline-delimited body.
    public var lines = 65_536
    /// Levels of nested arrays and objects.
    public var depth = 16
    /// Bytes of one series name, base name included.
    public var nameBytes = 128
    /// Bytes of one text or data value.
    public var textBytes = 4096
    /// Different series names remembered for one connection.
    public var names = 1024

    /// The limits that apply unless a plan says otherwise.
    public init() {}
}
