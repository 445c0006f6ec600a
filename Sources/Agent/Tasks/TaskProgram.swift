import CSpawn
import Glibc
import Synchronization

/// Says to a running program, from any thread, that it shall end.
package final class EndRequest: Sendable {
    private let wanted = Atomic(false)
    private let late = Atomic(false)

    /// Nobody has asked yet.
    package init() {}

    /// Asks.
    package func ask() { wanted.store(true, ordering: .relaxed) }
    /// Whether somebody has asked.
    package var isAsked: Bool { wanted.load(ordering: .relaxed) }
    /// It can not be ended any more.
    func tooLate() { late.store(true, ordering: .relaxed) }
    /// Whether it can not be ended any more.
    var isTooLate: Bool { late.load(ordering: .relaxed) }
}

/// Runs one program of the tasks' directory and reads what it says; blocks its thread until the program is over.
package struct TaskProgram: Sendable {
    /// How the program ended.
    package enum End: Sendable, Hashable {
        /// With this exit code.
        case exited(Int32)
        /// By this signal, not ours.
        case killed(Int32)
        /// Ended by us, because its time was over.
        case timedOut
        /// Ended by us, because somebody wanted so.
        case cancelled
    }

    /// The file.
    package var path: String
    /// Its arguments, after its own name.
    package var arguments: [String] = []
    /// Its environment, beside the path.
    package var environment: [String: String] = [:]
    /// What it reads.
    package var input: ProgramInput = .bytes([])
    /// Seconds after which it is ended.
    package var timeout: Int64
    /// Bytes of one line that it says; the rest of a longer one is dropped.
    var lineBytes = AgentLimits.lineBytes

    /// The program at `path`.
    package init(
        _ path: String, arguments: [String] = [], environment: [String: String] = [:], timeout: Int64
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.timeout = timeout
    }

    /// Why the file may not be run, or nil: only a program that nobody but root or the agent's own user can change is.
    package var objection: String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return "there is no program for it" }
        guard status.st_mode & S_IFMT == S_IFREG, access(path, X_OK) == 0 else { return "\(path) is not a program" }
        guard status.st_uid == 0 || status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
            return "\(path) can be changed by others than root"
        }
        return nil
    }

    /// Runs it; `line` gets each line that it says, on the calling thread.
    package func run(until request: EndRequest, line: (String) -> Void) throws -> End {
        // A program that closes its input before everything is said must not end us.
        signal(SIGPIPE, SIG_IGN)
        var conversation = Conversation(input: try InputPump(input), lineBytes: lineBytes)
        defer { conversation.end() }
        let (child, input, output) = try start()
        conversation.begin(reading: output, writing: input)
        return conversation.hold(with: child, until: request, timeout: timeout, line: line)
    }

    /// Starts it; where it is talked to, and where it talks.
    private func start() throws -> (child: pid_t, input: CInt, output: CInt) {
        var toChild: (CInt, CInt) = (0, 0)
        var fromChild: (CInt, CInt) = (0, 0)
        guard Self.pipe(&toChild) else { throw FileFailure("start", path) }
        guard Self.pipe(&fromChild) else {
            close(toChild.0)
            close(toChild.1)
            throw FileFailure("start", path)
        }
        defer {
            close(toChild.0)
            close(fromChild.1)
        }
        do {
            return (try spawn(reading: toChild.0, writing: fromChild.1), toChild.1, fromChild.0)
        } catch {
            close(toChild.1)
            close(fromChild.0)
            throw error
        }
    }

    private static func pipe(_ ends: inout (CInt, CInt)) -> Bool {
        var pair: [CInt] = [0, 0]
        guard Glibc.pipe(&pair) == 0 else { return false }
        ends = (pair[0], pair[1])
        return true
    }

    private func spawn(reading input: CInt, writing output: CInt) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        // Nothing else of ours, neither another program's pipes nor SwiftNIO's sockets: what a program leaves running would
        // keep the local page's port.
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own, so that what it starts ends with it; and the signals as every program expects them, but for
        // SIGPIPE, which stays ignored as in every unit of systemd: swupdate's parts answer each other over sockets that may
        // be closed, and would end by it after an installation that went well.
        var signals = sigset_t()
        sigfillset(&signals)
        sigdelset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var environment = environment
        environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        var argv = ([path] + arguments).map { strdup($0) } + [nil]
        var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var child: pid_t = 0
        var failure = posix_spawn(&child, path, &actions, &attributes, &argv, &envp)
        // A program that was just written may be open for writing in another one that is just being started.
        for _ in 0..<AgentLimits.busyPrograms where failure == ETXTBSY {
            usleep(10_000)
            failure = posix_spawn(&child, path, &actions, &attributes, &argv, &envp)
        }
        guard failure == 0 else {
            errno = failure
            throw FileFailure("start", path)
        }
        return child
    }
}

/// One program's input, output and end.
private struct Conversation: ~Copyable {
    /// Where the program talks to; -1 before it is started.
    private var output: CInt = -1
    private var input: InputPump
    private var pending: [UInt8] = []
    private let lineBytes: Int

    init(input: consuming InputPump, lineBytes: Int) {
        self.lineBytes = lineBytes
        self.input = input
    }

    /// From here on both ends are ours to close.
    mutating func begin(reading output: CInt, writing input: CInt) {
        self.output = output
        _ = fcntl(output, F_SETFL, O_NONBLOCK)
        self.input.begin(at: input)
    }

    mutating func end() {
        input.end()
        if output >= 0 { close(output) }
        output = -1
    }

    mutating func hold(
        with child: pid_t, until request: EndRequest, timeout: Int64, line: (String) -> Void
    ) -> TaskProgram.End {
        let began = ContinuousClock.now
        var ended: (why: TaskProgram.End, at: ContinuousClock.Instant)?
        while true {
            talk(line)
            var status: Int32 = 0
            let found = waitpid(child, &status, WNOHANG)
            if found == child || (found < 0 && errno == ECHILD) {
                // What it left behind in its group goes too; what it said last is still read.
                kill(-child, SIGKILL)
                // A pipe holds 64 KiB; whoever still writes into it is in no group of ours and is not waited for.
                var pieces = 0
                while pieces < 8, talk(line, wait: 0) { pieces += 1 }
                if !pending.isEmpty { say(line) }
                if let ended { return ended.why }
                return status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .killed(status & 0x7f)
            }
            let now = ContinuousClock.now
            if let ended {
                if now - ended.at > AgentLimits.killAfter { kill(-child, SIGKILL) }
            } else if request.isAsked || now - began > .seconds(timeout) {
                ended = (request.isAsked ? .cancelled : .timedOut, now)
                kill(-child, SIGTERM)
            }
        }
    }

    /// Waits a moment for one side or the other, then says and reads what there is.
    ///
    /// True when something was read.
    @discardableResult
    private mutating func talk(_ line: (String) -> Void, wait: Int32 = 100) -> Bool {
        var sides = [
            pollfd(fd: output, events: Int16(POLLIN), revents: 0),
            pollfd(fd: input.waitsFor, events: Int16(POLLOUT), revents: 0),
        ]
        _ = poll(&sides, 2, wait)
        input.tick()
        if sides[1].revents != 0 { input.tell() }
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        let count = read(output, &piece, piece.count)
        if count == 0 {
            // It has closed its side; the rest of the wait is for its end.
            if wait > 0 { usleep(20_000) }
            return false
        }
        guard count > 0 else { return false }
        for byte in piece[..<count] {
            if byte == UInt8(ascii: "\n") {
                say(line)
            } else if pending.count < lineBytes {
                pending.append(byte)
            }
        }
        return true
    }

    private mutating func say(_ line: (String) -> Void) {
        let said = String(decoding: pending, as: UTF8.self)
        pending = []
        input.hear(said)
        line(said)
    }
}
