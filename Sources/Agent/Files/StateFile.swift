package import Glibc

/// A file could not be read or written.
package struct FileFailure: Error, CustomStringConvertible {
    /// What happened, and to which file.
    package var description: String

    init(_ act: String, _ path: String) {
        let reason = strerror(errno).map { String(cString: $0) } ?? "error \(errno)"
        description = "\(path): can not \(act): \(reason)"
    }

    /// A failure in words of one's own.
    package init(_ description: String) { self.description = description }
}

/// Files that are whole or not there: what was written is on disk when the call returns.
package enum StateFile {
    /// Puts `bytes` in the place of the file at `path`.
    package static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o600) throws {
        let fresh = path + ".new"
        let file = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard file >= 0 else { throw FileFailure("write", fresh) }
        defer { close(file) }
        try append(bytes, to: file, fresh)
        guard fchmod(file, mode) == 0, fsync(file) == 0 else { throw FileFailure("keep", fresh) }
        guard rename(fresh, path) == 0 else { throw FileFailure("replace", path) }
        try synchroniseDirectory(of: path)
    }

    /// Writes all of `bytes` to an open file.
    static func append(_ bytes: [UInt8], to file: CInt, _ path: String) throws {
        try bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = Glibc.write(file, buffer.baseAddress?.advanced(by: done), buffer.count - done)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw FileFailure("write", path)
                }
                done += count
            }
        }
    }

    /// The file's bytes, or nil when there is none.
    package static func read(_ path: String, limit: Int = AgentLimits.stateBytes) throws -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw FileFailure("read", path)
        }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 32 << 10)
        while true {
            let count = Glibc.read(file, &piece, piece.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileFailure("read", path)
            }
            if count == 0 { return bytes }
            guard bytes.count + count <= limit else { throw FileFailure("\(path): larger than \(limit) bytes") }
            bytes.append(contentsOf: piece[..<count])
        }
    }

    /// Removes the file; that it is not there is as good.
    package static func remove(_ path: String) throws {
        guard unlink(path) == 0 || errno == ENOENT else { throw FileFailure("remove", path) }
        try synchroniseDirectory(of: path)
    }

    /// Makes a directory for the agent alone, unless it is there.
    package static func makeDirectory(_ path: String) throws {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw FileFailure("make", path) }
    }

    /// The names in a directory, in their order, without those that begin with a dot.
    package static func names(in path: String) throws -> [String] {
        guard let directory = opendir(path) else {
            if errno == ENOENT { return [] }
            throw FileFailure("read", path)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// Takes a file that one process alone may hold; it goes with the process.
    static func lock(_ path: String) throws -> CInt {
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw FileFailure("write", path) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            throw FileFailure("\(path): another agent runs with this state")
        }
        return file
    }

    /// Gives it back; a program that is just being started may have the file open, too, for a moment.
    static func unlock(_ file: CInt) {
        flock(file, LOCK_UN)
        close(file)
    }

    private static func synchroniseDirectory(of path: String) throws {
        let parent = path.lastIndex(of: "/").map { path[..<$0].isEmpty ? "/" : String(path[..<$0]) } ?? "."
        let directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw FileFailure("open", parent) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw FileFailure("keep", parent) }
    }
}
