#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A file that is there while a decoder that reads files is probed; in memory where the system has such a place.
enum ScratchFile {
    static func with(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
        var template = Array(
            ((access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp") + "/tidegate-probe-XXXXXX").utf8CString)
        let descriptor = mkstemp(&template)
        try Probe.check(descriptor >= 0, "a scratch file can be made")
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
        try Probe.check(written == bytes.count, "a scratch file takes what is written")
        try body(path)
    }
}
