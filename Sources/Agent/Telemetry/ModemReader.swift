package import Base
import Glibc

/// What ModemManager says of the device's modem, by its program `mmcli`; blocks its thread for seconds at most.
package struct ModemReader: Sendable {
    /// What was read.
    package struct Reading: Sendable, Hashable {
        /// Series: `host.cellular.signal`, in percent.
        package var values: [String: JSONValue] = [:]
        /// What seldom changes: operator, its code, technology, registration, the modem's model.
        package var facts: [String: JSONValue] = [:]
    }

    /// The program.
    package let program: String

    /// A reader by the program at this path.
    package init(program: String) { self.program = program }

    /// What the first modem says now; empty where there is no modem, or no ModemManager.
    package func read() -> Reading {
        guard access(program, X_OK) == 0 else { return Reading() }
        var text = ""
        var mmcli = TaskProgram(program, arguments: ["-J", "-m", "any"], timeout: AgentLimits.modemSeconds)
        mmcli.lineBytes = AgentLimits.modemBytes
        let end = try? mmcli.run(until: EndRequest()) { line in
            if text.utf8.count + line.utf8.count < AgentLimits.modemBytes { text += line + "\n" }
        }
        guard end == .exited(0) else { return Reading() }
        return Self.reading(in: Array(text.utf8))
    }

    /// What stands in the answer of `mmcli -J`.
    static func reading(in bytes: [UInt8]) -> Reading {
        var reading = Reading()
        guard let json = try? JSONValue(parsing: bytes, limits: JSONLimits(bytes: AgentLimits.modemBytes, depth: 16)),
            let modem = json["modem"]
        else { return reading }
        if let percent = text(modem["generic"]?["signal-quality"]?["value"]).flatMap({ Int64($0) }),
            (0...100).contains(percent)
        {
            reading.values["host.cellular.signal"] = .integer(percent)
        }
        let cell = modem["3gpp"]
        for (name, value) in [
            ("operator", cell?["operator-name"]), ("operatorCode", cell?["operator-code"]),
            ("registration", cell?["registration-state"]), ("model", modem["generic"]?["model"]),
        ] {
            if let text = text(value) { reading.facts[name] = .string(text) }
        }
        if case .array(let technologies)? = modem["generic"]?["access-technologies"] {
            let words = technologies.prefix(8).compactMap { text($0) }
            if !words.isEmpty { reading.facts["technology"] = .string(words.joined(separator: " ")) }
        }
        return reading
    }

    /// A text of a few words; `--` is mmcli's word for nothing.
    private static func text(_ value: JSONValue?) -> String? {
        guard let text = value?.string, !text.isEmpty, text != "--", text.utf8.count <= 128,
            !text.utf8.contains(where: { $0 < 0x20 })
        else { return nil }
        return text
    }
}
