import Base
import Synchronization

/// The numbers under which messages to devices are signed: microseconds of time, each larger than all before it, so that
/// a device can tell an old message from a new one.
///
/// They grow although the clock may be put back: a time is reserved in the database before its numbers are used, and a
/// server that starts goes on behind what was reserved.
final class Sequences: Sendable {
    private struct Reserved {
        var next: Int64
        var end: Int64
    }

    private let reserved = Mutex<[TenantID: Reserved]>([:])

    /// So many numbers one after the other, the first of which is returned; nil when a time must be reserved first.
    func take(_ count: Int, of tenant: TenantID, at now: Timestamp) -> Int64? {
        reserved.withLock { reserved in
            guard let known = reserved[tenant] else { return nil }
            let first = max(known.next, now.microseconds)
            let (after, isTooFar) = first.addingReportingOverflow(Int64(count))
            guard !isTooFar, after <= known.end else { return nil }
            reserved[tenant]?.next = after
            return first
        }
    }

    /// The time to `end` was reserved, from `start` on.
    func reserve(_ start: Int64, to end: Int64, of tenant: TenantID) {
        reserved.withLock { reserved in
            let known = reserved[tenant]
            reserved[tenant] = Reserved(next: max(start, known?.next ?? 0), end: max(end, known?.end ?? 0))
        }
    }

    func forget(_ tenant: TenantID) { reserved.withLock { $0[tenant] = nil } }
}
