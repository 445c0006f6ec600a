import Foundation
import NIOCore

/// The processors that this process may use.
enum Processors {
    /// How many there are: no more than a container's quota, nor than the set that `taskset` or systemd's `CPUAffinity`
    /// leaves. A loop without a processor of its own would only make the others wait for it.
    static var usableCount: Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        return usableCount(of: System.coreCount, allowing: status)
    }

    /// As above, with the kernel's words about the process (proc(5), `Cpus_allowed`): groups of hexadecimal digits, a
    /// bit for each processor.
    static func usableCount(of present: Int, allowing status: String) -> Int {
        let name = "Cpus_allowed:"
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { return present }
        let allowed = line.dropFirst(name.count).reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
        return max(1, min(present, allowed))
    }
}
