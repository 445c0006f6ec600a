import Glibc

/// Where the program speaks to the person or program that started it.
///
/// Foundation's handles end the program when nobody takes what they write; a full disk under a log, or a reader that
/// has gone, must not end a server.
enum StandardStream: Int32 {
    case output = 1
    case error = 2

    /// Writes the text at once, or drops what can not be written.
    func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let written = Glibc.write(rawValue, rest.baseAddress, rest.count)
                if written < 0, errno == EINTR { continue }
                guard written > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            }
        }
    }
}
