import ConsoleFiles

/// The files that were built into the program.
enum EmbeddedFiles {
    /// Each file's bytes by its path, such as `templates/shell.mustache`; one that was not there at the build is absent.
    static let all: [String: [UInt8]] = {
        var files: [String: [UInt8]] = [:]
        var index = 0
        while let file = console_file_at(index)?.pointee {
            index += 1
            guard let path = file.path, let start = file.bytes else { continue }
            var count = 0
            while start[count] != 0 { count += 1 }
            if count > 0 {
                files[String(cString: path)] = Array(UnsafeBufferPointer(start: start, count: count))
            }
        }
        return files
    }()
}
