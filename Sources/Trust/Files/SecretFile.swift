import Base

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

// The calls whose names SecretFile's own functions hide.
private func posixRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}
private func posixWrite(_ descriptor: Int32, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, buffer, count)
}
private func posixRename(_ source: String, _ path: String) -> Int32 { rename(source, path) }

/// Reads and replaces files that hold keys, and looks at their owner and mode each time.
///
/// A file is never written in place: the new content goes to a second file, is forced to disk, and takes the old
/// one's name. Whenever the machine stops, one of the two is whole.
public enum SecretFile {
    /// Who else than the owner may read a file.
    public enum Audience: Sendable {
        /// Nobody: mode 0600, and owned by the user who runs the server.
        case owner
        /// The owner's group as well, and root may own it: how operators keep keys that several services share.
        case group
        /// Everybody: mode 0644, for certificates.
        case everybody

        var creationMode: mode_t {
            switch self {
            case .owner: 0o600
            case .group: 0o640
            case .everybody: 0o644
            }
        }

        var forbiddenMode: UInt32 {
            switch self {
            case .owner: 0o077
            case .group: 0o037
            case .everybody: 0o022
            }
        }
    }

    /// True when something has this name, whatever it is.
    public static func exists(_ path: String) -> Bool {
        FileStatus(ofLink: path) != nil
    }

    /// The content of the file at `path`, refused when others than `audience` can read or write it.
    public static func read(_ path: String, for audience: Audience = .owner) throws -> [UInt8] {
        // A link is not followed for our own keys, whose place we chose; an operator's file may well be one.
        let follow = audience == .owner ? O_NOFOLLOW : 0
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | follow)
        guard descriptor >= 0 else { throw failure("read", path) }
        defer { close(descriptor) }
        guard let status = FileStatus(ofDescriptor: descriptor) else { throw failure("read", path) }
        try check(status, path, audience)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = buffer.withUnsafeMutableBytes { Self.readSome(descriptor, $0) }
            if count < 0 { throw failure("read", path) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= Limits.secretFileBytes else {
                throw Refusal(.unavailable, "trust.fileTooLarge", "\(path) is larger than a file of keys can be.")
            }
        }
    }

    /// Replaces the file at `path` by `bytes`, whole or not at all, and on disk when this returns.
    public static func replace(_ path: String, with bytes: [UInt8], for audience: Audience = .owner) throws {
        let temporary = "\(path).\(UInt32.random(in: .min ... .max)).tmp"
        let descriptor = open(
            temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, audience.creationMode)
        guard descriptor >= 0 else { throw failure("write", path) }
        do {
            defer { close(descriptor) }
            // The mode that open was given passes through the umask; this one does not.
            guard fchmod(descriptor, audience.creationMode) == 0 else { throw failure("write", path) }
            try write(bytes, to: descriptor, path)
            guard fsync(descriptor) == 0 else { throw failure("write", path) }
        } catch {
            unlink(temporary)
            throw error
        }
        guard posixRename(temporary, path) == 0 else {
            let refusal = failure("write", path)
            unlink(temporary)
            throw refusal
        }
        try synchroniseDirectory(of: path)
    }

    /// Gives the file at `source` the name `path`, on disk when this returns.
    public static func rename(from source: String, to path: String) throws {
        guard posixRename(source, path) == 0 else { throw failure("rename", path) }
        try synchroniseDirectory(of: path)
    }

    /// Removes the file at `path` if there is one, on disk when this returns.
    public static func remove(_ path: String) throws {
        guard unlink(path) == 0 else {
            if errno == ENOENT { return }
            throw failure("remove", path)
        }
        try synchroniseDirectory(of: path)
    }

    /// Makes the directory at `path` if it is missing, and refuses one that others than `audience` can use.
    public static func createDirectory(_ path: String, for audience: Audience) throws {
        let mode: mode_t = audience == .owner ? 0o700 : 0o755
        if mkdir(path, mode) == 0 {
            guard chmod(path, mode) == 0 else { throw failure("create", path) }
            return try synchroniseDirectory(of: path)
        }
        guard errno == EEXIST else { throw failure("create", path) }
        guard let status = FileStatus(of: path) else { throw failure("read", path) }
        guard status.isDirectory else {
            throw Refusal(.unavailable, "trust.notADirectory", "\(path) is in the way: a directory belongs there.")
        }
        let forbidden: UInt32 = audience == .owner ? 0o077 : 0o022
        guard status.permissions & forbidden == 0 else {
            throw Refusal(
                .unavailable, "trust.directoryOpen",
                "Other users can get at the directory \(path). Run: chmod \(String(mode, radix: 8)) \(path)")
        }
        guard status.owner == geteuid() else { throw wrongOwner(path, status.owner) }
    }

    private static func check(_ status: FileStatus, _ path: String, _ audience: Audience) throws {
        guard status.isFile else {
            throw Refusal(.unavailable, "trust.notAFile", "\(path) is not a plain file.")
        }
        guard status.permissions & audience.forbiddenMode == 0 else {
            if audience == .everybody {
                throw Refusal(
                    .unavailable, "trust.fileWritableByOthers",
                    "Other users can write to \(path). Run: chmod 644 \(path)")
            }
            throw Refusal(
                .unavailable, "trust.keyReadableByOthers",
                "Other users can read the key in \(path). Treat it as known to them: replace it, or, if no other "
                    + "user was ever on this machine, run: chmod \(String(audience.creationMode, radix: 8)) \(path)")
        }
        let mayBelongToRoot = audience != .owner
        guard status.owner == geteuid() || (mayBelongToRoot && status.owner == 0) else {
            throw wrongOwner(path, status.owner)
        }
    }

    private static func wrongOwner(_ path: String, _ owner: UInt32) -> Refusal {
        Refusal(
            .unavailable, "trust.wrongOwner",
            "\(path) belongs to user \(owner), but the server runs as user \(geteuid()). Run: chown \(geteuid()) \(path)"
        )
    }

    private static func readSome(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = posixRead(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 || errno != EINTR { return count }
        }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                posixWrite(descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("write", path)
            }
            written += count
        }
    }

    private static func synchroniseDirectory(of path: String) throws {
        let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("synchronise", parent) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("synchronise", parent) }
    }

    private static func failure(_ verb: String, _ path: String) -> Refusal {
        let reason = String(cString: strerror(errno))
        return Refusal(.unavailable, "trust.file", "Can not \(verb) \(path): \(reason).")
    }
}
