/// How large a chunk may be; a reader allocates no more than these allow, whatever the bytes say.
public enum ChunkLimits {
    /// Series of one chunk.
    public static let columns = 4096
    /// Points of one series.
    public static let points = 1 << 20
    /// Points of all series together.
    public static let samples = 1 << 22
    /// Columns that must be decoded besides the one that is asked for.
    public static let references = 3
    /// Bytes of one chunk.
    public static let bytes = 64 << 20
}

/// Why a chunk can not be made or read.
public enum ChunkFault: String, Error, Sendable {
    /// The bytes are of a format version that this program does not know.
    case unknownVersion = "chunk.version"
    /// The bytes are not what was written: the checksum does not fit.
    case damaged = "chunk.damaged"
    /// The bytes fit their checksum but break the format's rules.
    case malformed = "chunk.malformed"
    /// The chunk would exceed a limit.
    case tooLarge = "chunk.tooLarge"
    /// The times of a column do not rise, or differ from its values in number.
    case badColumn = "chunk.badColumn"
    /// The chunk has no such column.
    case noSuchColumn = "chunk.noSuchColumn"
}
