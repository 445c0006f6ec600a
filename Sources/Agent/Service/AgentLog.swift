import Glibc

/// Lines for the journal: a constant sentence, and what it is about behind it.
package struct AgentLog: Sendable {
    private let isQuiet: Bool

    /// A log on standard error; a quiet one says nothing.
    package init(isQuiet: Bool = false) { self.isQuiet = isQuiet }

    /// Says `sentence`.
    package func say(_ sentence: StaticString, _ facts: KeyValuePairs<String, String> = [:]) {
        guard !isQuiet else { return }
        var line = "\(sentence)"
        for (key, value) in facts {
            let plain = value.unicodeScalars.prefix(400).map { $0.value < 0x20 ? " " : $0 }
            line += " \(key)=" + String(String.UnicodeScalarView(plain))
        }
        line += "\n"
        // Nobody reads it, or the disk is full: no reason to stop.
        _ = line.withCString { write(2, $0, strlen($0)) }
    }
}
