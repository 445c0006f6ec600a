public import Access
public import Base
import Storage

/// A device with which contact has failed.
public struct FailedDevice: Sendable {
    /// The device.
    public let device: Device
    /// The name of its model.
    public let modelName: Name?
    /// Its presence at this moment.
    public let presence: PresenceState
    /// How often its last connection broke without a goodbye, since it was registered.
    public let lost: Int64
    /// How often its credential or enrolment token was refused.
    public let refused: Int64
    /// When contact failed last.
    public let last: Timestamp
    /// In which way.
    public let kind: ContactFailure
    /// Why, in a few words.
    public let reason: String

    /// How often contact failed in all.
    public var total: Int64 { lost + refused }
}

/// A stretch of the devices with which contact has failed.
public struct FailedDevices: Sendable {
    /// The devices.
    public let items: [FailedDevice]
    /// Where the next page begins; nil when this is the last.
    public let next: String?
    /// How many match in all, when that was asked for.
    public let count: Count?
}

/// An order of the devices with which contact has failed.
public enum FailureSort: String, CaseIterable, Sendable {
    /// The latest failure first.
    case last
    /// The most failures first.
    case total
}

extension Fleet {
    /// Writes how often contact with devices failed since the last time.
    public func flushFailures() async throws { try await directory.failures.flush(to: database) }

    /// The devices with which contact has failed and that the filter wants, as far as the caller may see them and a
    /// report of them.
    public func failures(
        filter text: String? = nil, sort: FailureSort = .last, after cursor: String? = nil, limit: Int,
        counting: Counting = .nothing, in tenant: TenantID, by principal: Principal
    ) async throws -> FailedDevices {
        // What has just failed shows at once where little waits; where much does, the page waits for none of it.
        try await directory.failures.flush(to: database, batches: 1)
        let filter = try text.map { text throws(Refusal) in try DeviceFilter(text) }
        let digest = DeviceCursor.digest(
            sort: .lastSeenDescending, filter: "failures \(sort.rawValue) \(text ?? "")")
        let place = try cursor.map { text throws(Refusal) in
            try DeviceCursor(text, sort: .lastSeenDescending, digest: digest)
        }
        return try await database.tenant(tenant).read { transaction in
            var sql = SQLBuilder()
            let within = try reportCondition(filter, of: tenant, for: principal, &sql, in: transaction)
            let all =
                "device_failure f WHERE f.tenant = $1"
                + (within.map { " AND f.device IN (SELECT d.id FROM device d WHERE d.tenant = $1 AND \($0))" } ?? "")
            let unpaged = sql
            var beyond = ""
            if let place, case .lastSeen(let key) = place.key {
                beyond = " AND (f.\(sort.rawValue), f.device) < (\(sql.bind(key)), \(sql.bind(place.device)))"
            }
            let rows = try transaction.rows(
                """
                SELECT \(DeviceRow.columns), \(PresenceState.columns), k.lost, k.refused, k.last, k.kind, k.reason
                FROM (
                    SELECT f.device, f.lost, f.refused, f.total, f.last, f.kind, f.reason FROM \(all)\(beyond)
                    ORDER BY f.\(sort.rawValue) DESC, f.device DESC LIMIT \(sql.bind(limit + 1))
                ) k
                JOIN device d ON d.tenant = $1 AND d.id = k.device
                JOIN device_presence p ON p.tenant = $1 AND p.device = k.device
                ORDER BY k.\(sort.rawValue) DESC, k.device DESC
                """, arguments: sql.arguments)
            var items = try rows.map(failed)
            let hasMore = items.count > limit
            if hasMore { items.removeLast() }
            let next = (hasMore ? items.last : nil).map { last in
                let key = sort == .last ? last.last.microseconds : last.total
                return DeviceCursor(key: .lastSeen(key), device: last.device.id).text(digest: digest)
            }
            let count = try counting.count(
                all, unpaged, whole: place == nil && !hasMore ? items.count : nil, in: transaction)
            return FailedDevices(items: items, next: next, count: count)
        }
    }

    /// The devices that the caller may see and see a report of, and that the filter wants; nil when these are all.
    func reportCondition(
        _ filter: DeviceFilter?, of tenant: TenantID, for principal: Principal, _ sql: inout SQLBuilder,
        in transaction: Transaction
    ) throws -> String? {
        let reported = try access.visibleDevices(principal, .reportRead, tenant: tenant, in: transaction)
        guard reported != .some(domains: [], devices: []) else {
            throw Refusal(.notFound, "not.found", "There is no such thing, or it is not for you.")
        }
        let seen = try condition(filter, of: tenant, for: principal, &sql, in: transaction)
        let within = Self.condition(reported, &sql)
        let parts = [seen, within].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: " AND ")
    }

    private func failed(_ row: Row) throws -> FailedDevice {
        let device = try DeviceRow.device(row)
        let stored = try PresenceState(row, from: DeviceRow.count)
        let first = DeviceRow.count + PresenceState.count
        return FailedDevice(
            device: device, modelName: device.model.flatMap { directory.model($0)?.name },
            presence: presence.state(of: device.id, stored: stored), lost: try row.integer(first),
            refused: try row.integer(first + 1), last: try row.timestamp(first + 2),
            kind: ContactFailure(rawValue: try row.text(first + 3)) ?? .lost, reason: try row.text(first + 4))
    }
}
