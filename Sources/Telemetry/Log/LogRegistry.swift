public import Base
import Synchronization

/// Short numbers for devices and series, so that a record in the log costs a few bytes.
///
/// Numbers are given on first use, in memory, and written to `registry.log` by the log's writer before the first
/// group that uses them is written: a group on disk never names a number that is not.
public final class LogRegistry: Sendable {
    /// A device as the log knows it.
    public struct Device: Hashable, Sendable {
        /// The tenant that the device belongs to.
        public var tenant: TenantID
        /// The device.
        public var device: DeviceID
    }

    /// A series name as the log knows it: one number serves all devices of the tenant.
    public struct Series: Hashable, Sendable {
        /// The tenant in which the name has its meaning.
        public var tenant: TenantID
        /// The series' name.
        public var name: String
    }

    private struct State {
        var devices: [Device] = []
        var slots: [Device: UInt32] = [:]
        var series: [Series] = []
        var units: [String?] = []
        var numbers: [Series: UInt32] = [:]
        var seriesPerTenant: [TenantID: Int] = [:]
        var unwritten: [UInt8] = []
    }

    private enum EntryKind: UInt8 {
        case device = 1
        case series = 2
    }

    /// The most distinct series names that one tenant may bring into use.
    public static let maximumSeriesPerTenant = 100_000

    /// The file that holds it.
    static let fileName = "registry.log"

    private let state = Mutex(State())

    /// An empty registry.
    public init() {}

    /// The slot of a device, given now if it has none.
    public func slot(of device: DeviceID, tenant: TenantID) -> UInt32 {
        let key = Device(tenant: tenant, device: device)
        return state.withLock { state in
            if let slot = state.slots[key] { return slot }
            let slot = UInt32(state.devices.count)
            state.devices.append(key)
            state.slots[key] = slot
            Self.append(.device, slot, tenant.bytes + device.bytes, to: &state.unwritten)
            return slot
        }
    }

    /// The slot of a device that has one.
    public func existingSlot(of device: DeviceID, tenant: TenantID) -> UInt32? {
        state.withLock { $0.slots[Device(tenant: tenant, device: device)] }
    }

    /// The number of a series name in a tenant, given now if it has none, or nil when the tenant has too many names.
    ///
    /// `unit` is remembered from the first use.
    public func number(ofSeries name: String, unit: String?, tenant: TenantID) -> UInt32? {
        let key = Series(tenant: tenant, name: name)
        return state.withLock { state in
            if let number = state.numbers[key] { return number }
            guard state.seriesPerTenant[tenant, default: 0] < Self.maximumSeriesPerTenant else { return nil }
            let number = UInt32(state.series.count)
            state.series.append(key)
            state.units.append(unit)
            state.numbers[key] = number
            state.seriesPerTenant[tenant, default: 0] += 1
            let nameBytes = Array(name.utf8)
            let body =
                tenant.bytes + [UInt8(truncatingIfNeeded: min(nameBytes.count, 255))] + nameBytes
                + Array((unit ?? "").utf8)
            Self.append(.series, number, body, to: &state.unwritten)
            return number
        }
    }

    /// The number of a series name that has one.
    public func existingNumber(ofSeries name: String, tenant: TenantID) -> UInt32? {
        state.withLock { $0.numbers[Series(tenant: tenant, name: name)] }
    }

    /// The device in a slot.
    public func device(inSlot slot: UInt32) -> Device? {
        state.withLock { Int(slot) < $0.devices.count ? $0.devices[Int(slot)] : nil }
    }

    /// The series with a number and the unit of its first use.
    public func series(_ number: UInt32) -> (series: Series, unit: String?)? {
        state.withLock { Int(number) < $0.series.count ? ($0.series[Int(number)], $0.units[Int(number)]) : nil }
    }

    /// Takes the entries made since the last call, for the writer to put on disk.
    func takeUnwritten() -> [UInt8] {
        state.withLock { state in
            if state.unwritten.isEmpty { return [] }
            defer { state.unwritten = [] }
            return state.unwritten
        }
    }

    /// Takes back what could not be put on disk, for the next attempt.
    func putBack(_ entries: [UInt8]) { state.withLock { $0.unwritten = entries + $0.unwritten } }

    /// Reads the entries of a registry file, in order; stops at the first that is torn and returns how many bytes
    /// were good.
    func load(_ bytes: [UInt8]) -> Int {
        bytes.withUnsafeBytes { raw in
            var reader = LogReader(raw)
            var good = 0
            while !reader.isAtEnd {
                let start = reader.position
                guard let kind = reader.byte().flatMap(EntryKind.init(rawValue:)),
                    let number = reader.integer(as: UInt32.self), let length = reader.integer(as: UInt16.self),
                    let body = reader.slice(Int(length))
                else { return good }
                let covered = UnsafeRawBufferPointer(rebasing: raw[start..<reader.position])
                guard let sum = reader.integer(as: UInt32.self), sum == Checksum.of(covered),
                    accept(kind, number, Array(body))
                else { return good }
                good = reader.position
            }
            return good
        }
    }

    /// Whether the bytes, at which `load` stopped, are the beginning of an entry that was not written to its end.
    static func isUnfinished(_ rest: ArraySlice<UInt8>) -> Bool {
        let zeros = rest.reversed().prefix { $0 == 0 }.count
        if zeros == rest.count || zeros >= LogGroup.tellingZeros { return true }
        return rest.withUnsafeBytes { raw in
            var reader = LogReader(raw)
            guard reader.byte().flatMap(EntryKind.init(rawValue:)) != nil, reader.integer(as: UInt32.self) != nil,
                let length = reader.integer(as: UInt16.self)
            else { return raw.count < 7 }
            return reader.remaining < Int(length) + 4
        }
    }

    private func accept(_ kind: EntryKind, _ number: UInt32, _ body: [UInt8]) -> Bool {
        state.withLock { state in
            switch kind {
            case .device:
                guard body.count == 32, Int(number) == state.devices.count,
                    let tenant = TenantID(bytes: body[..<16]), let device = DeviceID(bytes: body[16...])
                else { return false }
                let key = Device(tenant: tenant, device: device)
                state.devices.append(key)
                state.slots[key] = number
            case .series:
                guard body.count >= 17, Int(number) == state.series.count, let tenant = TenantID(bytes: body[..<16]),
                    body.count >= 17 + Int(body[16])
                else { return false }
                let nameEnd = 17 + Int(body[16])
                let key = Series(tenant: tenant, name: String(decoding: body[17..<nameEnd], as: UTF8.self))
                let unit = String(decoding: body[nameEnd...], as: UTF8.self)
                state.series.append(key)
                state.units.append(unit.isEmpty ? nil : unit)
                state.numbers[key] = number
                state.seriesPerTenant[tenant, default: 0] += 1
            }
            return true
        }
    }

    private static func append(_ kind: EntryKind, _ number: UInt32, _ body: [UInt8], to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(kind.rawValue)
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: UInt16(truncatingIfNeeded: body.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: body)
        let sum = bytes.withUnsafeBytes { Checksum.of(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        withUnsafeBytes(of: sum.littleEndian) { bytes.append(contentsOf: $0) }
    }
}
