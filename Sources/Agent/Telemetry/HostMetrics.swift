package import Base
import Glibc

/// How the device itself fares, from /proc: a series for each measure, named `host.…`.
package struct HostMetrics {
    private let root: String
    private var lastCPU: (busy: Int64, all: Int64)?

    /// Metrics of the machine; another `root` stands in for `/proc`.
    package init(root: String = "/proc") { self.root = root }

    /// What can be measured now.
    package mutating func measure() -> [String: JSONValue] {
        var values: [String: JSONValue] = [:]
        if let cpu = cpu() { values["host.cpu"] = .number(cpu) }
        let memory = memory()
        if let all = memory["MemTotal"], let free = memory["MemAvailable"], all >= free, all > 0 {
            values["host.memory.used"] = .integer((all - free) << 10)
            values["host.memory.size"] = .integer(all << 10)
        }
        if let load = words("loadavg").first.flatMap({ Double($0) }) { values["host.load"] = .number(load) }
        if let up = words("uptime").first.flatMap({ Double($0) }) { values["host.uptime"] = .integer(Int64(up)) }
        var disk = statvfs()
        if statvfs("/", &disk) == 0 {
            let unit = Int64(clamping: disk.f_frsize)
            let (size, isHuge) = Int64(clamping: disk.f_blocks).multipliedReportingOverflow(by: unit)
            let (free, isFreeHuge) = Int64(clamping: disk.f_bfree).multipliedReportingOverflow(by: unit)
            if !isHuge, !isFreeHuge {
                values["host.disk.size"] = .integer(size)
                values["host.disk.used"] = .integer(size - free)
            }
        }
        for (name, counts) in interfaces() {
            values["host.net.\(name).received"] = .integer(counts.received)
            values["host.net.\(name).sent"] = .integer(counts.sent)
        }
        return values
    }

    /// What seldom changes, for the reported document.
    package func facts() -> [String: JSONValue] {
        var facts: [String: JSONValue] = [:]
        for (member, file) in [("kernel", "osrelease"), ("name", "hostname")] {
            if let text = words("sys/kernel/\(file)").first { facts[member] = .string(String(text.prefix(128))) }
        }
        let memory = memory()
        if let all = memory["MemTotal"] { facts["memory"] = .integer(all << 10) }
        return facts
    }

    private func text(_ file: String) -> String {
        let bytes = (try? StateFile.read("\(root)/\(file)", limit: AgentLimits.procBytes)) ?? nil
        return String(decoding: bytes ?? [], as: UTF8.self)
    }

    private func words(_ file: String) -> [Substring] { text(file).split(whereSeparator: \.isWhitespace) }

    /// Percent of the processors' time since the last measurement in which they worked.
    private mutating func cpu() -> Double? {
        guard let line = text("stat").split(separator: "\n").first(where: { $0.hasPrefix("cpu ") }) else { return nil }
        let times = line.split(separator: " ").dropFirst().prefix(8).compactMap { Int64($0) }
        guard times.count >= 5, times.allSatisfy({ $0 >= 0 && $0 < 1 << 56 }) else { return nil }
        let all = times.reduce(0, +)
        let busy = all - times[3] - times[4]
        defer { lastCPU = (busy, all) }
        guard let last = lastCPU, all > last.all, busy >= last.busy else { return nil }
        return (Double(busy - last.busy) / Double(all - last.all) * 1000).rounded() / 10
    }

    /// Kilobytes, by name.
    private func memory() -> [String: Int64] {
        var values: [String: Int64] = [:]
        for line in text("meminfo").split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 2, words[0].hasSuffix(":"), let value = Int64(words[1]), (0..<1 << 50).contains(value)
            else { continue }
            values[String(words[0].dropLast())] = value
        }
        return values
    }

    /// Bytes through each interface but the loopback; at most sixteen.
    private func interfaces() -> [(String, (received: Int64, sent: Int64))] {
        var found: [(String, (received: Int64, sent: Int64))] = []
        for line in text("net/dev").split(separator: "\n") where found.count < 16 {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = line[..<colon].filter { !$0.isWhitespace }
            let numbers = line[line.index(after: colon)...].split(separator: " ").map { Int64($0) }
            guard name != "lo", Name(name) != nil, numbers.count >= 9, let received = numbers[0], let sent = numbers[8]
            else { continue }
            found.append((name, (received, sent)))
        }
        return found
    }
}
