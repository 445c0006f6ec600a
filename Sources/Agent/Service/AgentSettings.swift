import Base

/// What the agent is told by its one file, `/etc/tidegate-agent/agent.conf`; docs/agent.md has every key.
package struct AgentSettings: Sendable, Hashable {
    /// A line that can not be understood.
    package struct Fault: Error, CustomStringConvertible {
        /// The line and what is wrong with it.
        package var description: String
    }

    /// The server's name or address.
    package var host = ""
    /// The port of its device listener.
    package var port = 8444
    /// The tenant's slug.
    package var tenant = ""
    /// The device's name or identifier.
    package var device = ""
    /// The single-use token for the first certificate.
    package var token: String?
    /// The file with the certificate that vouches for the server; read at first use and pinned.
    package var serverCA: String?
    /// The proxy by which the server is reached.
    package var proxy: ProxyAddress?
    /// Where the agent keeps its keys and its journal.
    package var state = "/var/lib/tidegate-agent"
    /// The directory of the programs that do tasks.
    package var tasks = "/etc/tidegate-agent/tasks.d"
    /// Seconds after which a task's program is ended.
    package var taskTimeout: Int64 = 3600
    /// The program that installs updates.
    package var swupdate = "/usr/bin/swupdate"
    /// The public key or certificate that updates must be signed by.
    package var updateKey: String?
    /// Further options for it.
    package var swupdateOptions: [String] = []
    /// What kind of hardware this is, as releases name it; nil fits any.
    package var hardware: String?
    /// Seconds between two measurements of the device itself; 0 measures nothing.
    package var metrics: Int64 = 60
    /// Bytes that readings which wait for the server may take on disk.
    package var buffer: Int64 = 64 << 20
    /// Seconds within which the server must be reached with a new configuration, else the old one comes back.
    package var trial: Int64 = 300
    /// Whether telemetry goes by a certificate and key of its own.
    package var separateStream = false
    /// Hours for which readings that the server has stay on the device, to be sent again when it asks for them.
    package var history: Int64 = 0
    /// The program that speaks for ModemManager; nil asks no modem.
    package var modem: String? = "/usr/bin/mmcli"
    /// Where gpsd is; nil asks for no position.
    package var position = PositionReader(host: "127.0.0.1", port: 2947)
    /// Where the set-up page is; nil is nowhere.
    package var setup = SetupAddress("127.0.0.1:8480")
    /// Whether it is there when the device is enrolled, too.
    package var setupAlways = false
    /// A file whose first byte other than `0` says that the case was opened.
    package var tamper: String?

    /// The settings that `text` spells: lines of `key = value`; `#` begins a comment.
    package init(parsing text: String) throws {
        try read(text)
        try checkWhole()
    }

    private init() {}

    /// What must be there and is not.
    package var missing: [String] {
        [("server", host), ("tenant", tenant), ("device", device)].filter { $0.1.isEmpty }.map { $0.0 }
    }

    private func checkWhole() throws {
        if let key = missing.first { throw Fault(description: "\(key) is missing") }
    }

    private mutating func read(_ text: String) throws {
        var seen: Set<String> = []
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: Self.isLineEnd).enumerated()
        {
            let line = Self.trimmed(line)
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let equals = line.firstIndex(of: "=") else {
                throw Fault(description: "line \(number + 1): not key = value")
            }
            let key = String(Self.trimmed(line[..<equals]))
            let value = String(Self.trimmed(line[line.index(after: equals)...]))
            guard seen.insert(key).inserted else { throw Fault(description: "line \(number + 1): \(key) comes twice") }
            guard Self.keys.contains(key) else {
                let near = Self.keys.nearest(to: key).map { "; \($0)?" } ?? ""
                throw Fault(description: "line \(number + 1): there is no key \(key)\(near)")
            }
            guard take(key, value) else {
                throw Fault(description: "line \(number + 1): \(key) can not be \"\(value)\"")
            }
        }
    }

    /// The settings in the file at `path`, and over them what was entered on the set-up page; with `mayLack` also when
    /// something is missing that can be entered there.
    package static func load(_ path: String, mayLack: Bool = false) throws -> AgentSettings {
        guard let bytes = try StateFile.read(path, limit: AgentLimits.settingsBytes) else {
            throw Fault(description: "\(path) is not there")
        }
        var settings = AgentSettings()
        try settings.read(String(decoding: bytes, as: UTF8.self))
        if let entered = try SetupStore(state: settings.state).lines() { try settings.read(entered) }
        if !mayLack || settings.setup == nil { try settings.checkWhole() }
        return settings
    }

    private static func isLineEnd(_ character: Character) -> Bool { character == "\n" || character == "\r\n" }

    private static func trimmed(_ text: some StringProtocol) -> Substring {
        var text = Substring(text)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }

    /// False when the value is not one of the key's.
    private mutating func take(_ key: String, _ value: String) -> Bool {
        switch key {
        case "server":
            if let (host, port) = ServerAddress.split(value) {
                (self.host, self.port) = (host, port)
            } else {
                guard !value.contains(where: { $0.isWhitespace || "/@:".contains($0) }) else { return false }
                host = value
            }
        case "tenant":
            guard let slug = TenantSlug(value) else { return false }
            tenant = slug.text
        case "device":
            guard let name = Name(value) else { return false }
            device = name.text
        case "token": token = value.isEmpty ? nil : value
        case "server-ca": serverCA = value
        case "proxy":
            guard let address = ProxyAddress(value) else { return false }
            proxy = address
        case "state": return Self.path(value, &state)
        case "tasks": return Self.path(value, &tasks)
        case "task-timeout": return Self.number(value, 1...86_400, &taskTimeout)
        case "swupdate": return Self.path(value, &swupdate)
        case "update-key": updateKey = value
        case "swupdate-options": swupdateOptions = value.split(separator: " ").map(String.init)
        case "hardware": hardware = value
        case "metrics": return Self.number(value, 0...86_400, &metrics)
        case "buffer":
            guard Self.number(value, 1...4096, &buffer) else { return false }
            buffer <<= 20
        case "trial": return Self.number(value, 10...86_400, &trial)
        case "channels":
            guard ["one", "separate"].contains(value) else { return false }
            separateStream = value == "separate"
        case "history": return Self.number(value, 0...8784, &history)
        case "modem":
            guard value == "none" || (value.hasPrefix("/") && value.utf8.count > 1) else { return false }
            modem = value == "none" ? nil : value
        case "position":
            position =
                value == "none"
                ? nil : ServerAddress.split(value).flatMap { PositionReader(host: $0.host, port: $0.port) }
            return value == "none" || position != nil
        case "setup":
            setup = value == "none" ? nil : SetupAddress(value)
            return value == "none" || setup != nil
        case "setup-when":
            guard ["unenrolled", "always"].contains(value) else { return false }
            setupAlways = value == "always"
        case "tamper": tamper = value
        default: return false
        }
        return true
    }

    /// Every key there is.
    static let keys = [
        "server", "tenant", "device", "token", "server-ca", "proxy", "state", "tasks", "task-timeout", "swupdate",
        "update-key", "swupdate-options", "hardware", "metrics", "buffer", "trial", "channels", "history", "modem",
        "position", "setup", "setup-when", "tamper",
    ]

    private static func path(_ value: String, _ place: inout String) -> Bool {
        guard value.hasPrefix("/"), value.utf8.count > 1 else { return false }
        place = value
        return true
    }

    private static func number(_ value: String, _ range: ClosedRange<Int64>, _ place: inout Int64) -> Bool {
        guard let number = Int64(value), range.contains(number) else { return false }
        place = number
        return true
    }
}
