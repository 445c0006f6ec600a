import CSpawn
import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Runs programs of the system to their end, as the tests of interoperation do.
///
/// Not by Foundation's `Process`: on Linux it reads past the end of a directory entry when it looks for open files
/// (swift-corelibs-foundation 5472), which ends the whole test run now and then when many are open.
enum SystemProgram {
    struct Result: Sendable {
        let status: Int32
        let output: String
    }

    private static let folders = ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin"]

    static func isInstalled(_ program: String) -> Bool { path(of: program) != nil }

    private static func path(of program: String) -> String? {
        folders.map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Runs it without holding a thread that the code under test may need.
    static func run(
        _ program: String, _ arguments: [String], in directory: String, input: String = ""
    ) async throws -> Result {
        let found = try #require(Self.path(of: program), "install \(program) to run this test")
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Swift.Result {
                        // It begins in the directory, which spawning alone can not do everywhere.
                        try wait(["/usr/bin/env", "-C", directory, found] + arguments, directory, Array(input.utf8))
                    })
            }
        }
    }

    private static func wait(_ command: [String], _ directory: String, _ input: [UInt8]) throws -> Result {
        // Files instead of pipes: nobody has to read while another writes.
        let (standardInput, standardOutput) = (try scratch(in: directory), try scratch(in: directory))
        defer {
            close(standardInput)
            close(standardOutput)
        }
        guard write(standardInput, input, input.count) == input.count else { throw POSIXError(.EIO) }
        lseek(standardInput, 0, SEEK_SET)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, standardInput, 0)
        posix_spawn_file_actions_adddup2(&actions, standardOutput, 1)
        posix_spawn_file_actions_adddup2(&actions, standardOutput, 2)
        // Sockets of other tests, which their peers would see open for as long as the program runs.
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        let environment = ProcessInfo.processInfo.environment.map { "\($0)=\($1)" }
        var process: pid_t = 0
        let failure = withCStrings(command) { arguments in
            withCStrings(environment) { posix_spawn(&process, command[0], &actions, nil, arguments, $0) }
        }
        guard failure == 0 else { throw POSIXError(POSIXErrorCode(rawValue: failure) ?? .EIO) }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { throw POSIXError(.ECHILD) }
        }
        lseek(standardOutput, 0, SEEK_SET)
        let output = try FileHandle(fileDescriptor: standardOutput, closeOnDealloc: false).readToEnd() ?? Data()
        // The exit status, or the signal that ended it, as shells say it.
        let code = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
        return Result(status: code, output: String(decoding: output, as: UTF8.self))
    }

    /// An open file without a name, which no other program inherits.
    private static func scratch(in directory: String) throws -> Int32 {
        var path = Array("\(directory)/program-XXXXXX".utf8CString)
        let descriptor = mkstemp(&path)
        guard descriptor >= 0 else { throw POSIXError(.EIO) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        unlink(path)
        return descriptor
    }

    private static func withCStrings<Value>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Value
    ) -> Value {
        let pointers = texts.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers + [nil])
    }
}
