import Foundation
import Glibc

/// The directory that holds everything a server keeps, held by one process at a time.
struct DataDirectory: ~Copyable {
    let path: String
    private let lock: Int32

    private init(path: String, lock: Int32) {
        self.path = path
        self.lock = lock
    }

    /// Makes the directory and its folders, readable by the owner only, and takes the lock.
    static func open(_ path: String) throws -> DataDirectory {
        // Whatever directory it is, nobody else reads what is put into it; what clients trust is opened to all by name.
        umask(0o077)
        let absolute = URL(filePath: path).standardizedFileURL.path
        let folder = absolute.hasSuffix("/") && absolute.count > 1 ? String(absolute.dropLast()) : absolute
        guard folder.utf8.count + "/admin.sock".utf8.count <= maximumSocketPath else {
            throw ConfigurationError(
                "\(folder): this path is too long for the admin socket in it; choose one of at most \(maximumSocketPath - 11) bytes with --data"
            )
        }
        for name in ["", "/telemetry", "/keys", "/audit"] { try makeFolder(folder + name, mode: 0o700) }
        // Clients read the server CA here, so this one folder is open; no key lies in it.
        try makeFolder(folder + "/trust", mode: 0o755)
        let lockPath = folder + "/lock"
        let lock = Glibc.open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw ConfigurationError("\(lockPath): \(String(cString: strerror(errno)))") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            var holder = [UInt8](repeating: 0, count: 32)
            let count = read(lock, &holder, holder.count)
            let id = String(decoding: holder.prefix(max(count, 0)).prefix { $0 > 0x20 }, as: UTF8.self)
            close(lock)
            throw ConfigurationError(
                "\(folder) is in use by another tidegate\(id.isEmpty ? "" : " (process \(id))"); stop it first, or choose another directory with --data"
            )
        }
        let id = "\(getpid())\n"
        _ = ftruncate(lock, 0)
        _ = pwrite(lock, id, id.utf8.count, 0)
        try checkSpace(folder)
        // An earlier version made these by the usual mode.
        for name in ["tidegate.db", "tidegate.db-wal", "tidegate.db-shm"] { chmod("\(folder)/\(name)", 0o600) }
        return DataDirectory(path: folder, lock: lock)
    }

    deinit { close(lock) }

    /// Refuses to start on a disk with less than this free: a database that can not write is worse than none.
    static let minimumFreeBytes: UInt64 = 64 << 20

    /// What `sockaddr_un` holds without its final zero (unix(7)).
    private static let maximumSocketPath = 107

    private static func makeFolder(_ path: String, mode: mode_t) throws {
        if mkdir(path, mode) == 0 {
            chmod(path, mode)
        } else if errno != EEXIST {
            let reason = String(cString: strerror(errno))
            throw ConfigurationError("\(path): can not be created: \(reason)")
        }
        guard access(path, R_OK | W_OK | X_OK) == 0 else {
            throw ConfigurationError(
                "\(path): not readable and writable by this user: \(String(cString: strerror(errno)))")
        }
    }

    private static func checkSpace(_ path: String) throws {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return }
        let free = UInt64(status.f_bavail) * UInt64(status.f_frsize)
        guard free >= minimumFreeBytes else {
            throw ConfigurationError(
                "\(path): only \(free >> 20) MB are free on this disk; make room (at least \(minimumFreeBytes >> 20) MB) and start again"
            )
        }
    }
}
