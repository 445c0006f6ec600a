import Glibc

/// The pages of the program's code that are in memory.
enum ProgramPages {
    /// Gives them back, to be read again from the file as they are wanted: a start touches far more code than the calls that
    /// follow for months, and the kernel brings in the neighbours of all that is touched.
    ///
    /// Only code is given back, which is as it stands in the file; data may have been changed in memory.
    static func giveBack() {
        var name = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &name, name.count - 1)
        guard length > 0, let maps = fopen("/proc/self/maps", "re") else { return }
        defer { fclose(maps) }
        let program = String(decoding: name[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var line = [CChar](repeating: 0, count: Int(PATH_MAX) + 256)
        while fgets(&line, CInt(line.count), maps) != nil {
            let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                .split(maxSplits: 5, whereSeparator: \.isWhitespace)
            // Such as `55e0c0a00000-55e0c1d00000 r-xp 00c00000 fe:00 4711 /usr/bin/tidegate-agent`.
            guard words.count == 6, words[1] == "r-xp", words[5].drop(while: \.isWhitespace).dropLast() == program
            else { continue }
            let bounds = words[0].split(separator: "-").compactMap { UInt(String($0), radix: 16) }
            guard bounds.count == 2, bounds[0] < bounds[1] else { continue }
            madvise(UnsafeMutableRawPointer(bitPattern: bounds[0]), Int(bounds[1] - bounds[0]), MADV_DONTNEED)
        }
    }
}
