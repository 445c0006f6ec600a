import Glibc

/// How long the device has run, which no change of the time of day moves, and which run of it this is.
package struct BootClock: Sendable {
    /// Seconds since the device was started, with those in which it slept.
    package var seconds: @Sendable () -> Int64
    /// Names this run of the device; another one counts its seconds anew.
    package var boot: String

    /// A clock that reads `seconds`.
    package init(boot: String, seconds: @escaping @Sendable () -> Int64) {
        (self.boot, self.seconds) = (boot, seconds)
    }

    /// The device's own.
    package static var system: BootClock {
        let boot = (try? StateFile.read("/proc/sys/kernel/random/boot_id", limit: 64)) ?? nil
        return BootClock(boot: String(decoding: (boot ?? []).prefix { $0 > 0x20 }, as: UTF8.self)) {
            var time = timespec()
            clock_gettime(CLOCK_BOOTTIME, &time)
            return Int64(time.tv_sec)
        }
    }
}
