/// Why the telemetry log can not be opened or written.
public struct LogError: Error, CustomStringConvertible {
    /// The system call or step that failed.
    public var operation: String
    /// The file it concerned.
    public var path: String
    /// The system's error number, or 0.
    public var code: Int32

    /// True when the disk, or the quota on it, is full: space may return.
    var isFullDisk: Bool { [ENOSPC, EDQUOT, EFBIG].contains(code) }

    /// What was tried, on which file, and why it failed.
    public var description: String {
        "\(operation) \(path): \(code == 0 ? "damaged" : String(cString: strerror(code)))"
    }
}

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif
