import Glibc

/// What a program reads from us.
package enum ProgramInput: Sendable {
    /// These bytes.
    case bytes([UInt8])
    /// The file at a path, from the line on in which the program says this text, or after a while without one.
    case file(String, after: String)
}

/// Brings a program its input, as fast as it takes it.
struct InputPump: ~Copyable {
    /// Where the program reads from; -1 before it is started and once everything is said.
    private var descriptor: CInt = -1
    private var text: ArraySlice<UInt8> = []
    /// Where more text comes from, or -1.
    private var file: CInt = -1
    /// What the program must say first.
    private var awaited: (text: String, until: ContinuousClock.Instant)?

    /// Opens the file, if it is one; throws `FileFailure` without it.
    init(_ input: ProgramInput) throws {
        switch input {
        case .bytes(let bytes): text = bytes[...]
        case .file(let path, let awaited):
            file = open(path, O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { throw FileFailure("open", path) }
            self.awaited = (awaited, .now + AgentLimits.awaitedLine)
        }
    }

    /// From here on the program reads at `descriptor`, which is ours to close.
    mutating func begin(at descriptor: CInt) {
        self.descriptor = descriptor
        // A program that does not read must not hold us up.
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    /// Where to wait for room, or -1 while there is nothing to say.
    var waitsFor: CInt { awaited == nil ? descriptor : -1 }

    /// Takes note of a line that the program said.
    mutating func hear(_ line: String) {
        if let awaited, line.contains(awaited.text) { self.awaited = nil }
    }

    /// Goes on without the line that was waited for, when its time is over.
    mutating func tick() {
        if let awaited, ContinuousClock.now > awaited.until { self.awaited = nil }
    }

    /// Says the next piece.
    mutating func tell() {
        if text.isEmpty, file >= 0 { refill() }
        let count = text.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count > 0 { text = text.dropFirst(count) }
        let failed = count < 0 && errno != EAGAIN && errno != EINTR
        if failed || (text.isEmpty && file < 0) { end() }
    }

    private mutating func refill() {
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(file, &piece, piece.count)
        if count > 0 { text = piece[..<count] }
        if count == 0 || (count < 0 && errno != EINTR) {
            close(file)
            file = -1
        }
    }

    /// Says that there is no more.
    mutating func end() {
        if descriptor >= 0 { close(descriptor) }
        if file >= 0 { close(file) }
        (descriptor, file) = (-1, -1)
    }
}
