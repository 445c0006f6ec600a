import Base
import Crypto

/// Where a list goes on: after this device, in this order, under this filter.
///
/// It is opaque text for the caller. It holds keys, not offsets, so rows that come and go never shift a page, and a
/// digest of order and filter, so that it can not be used with another list by mistake. It grants nothing: every page
/// is authorised anew.
struct DeviceCursor: Hashable {
    /// The sort key of the last device on the page.
    enum Key: Hashable {
        case name(String)
        case created
        case lastSeen(Int64)
    }

    let key: Key
    let device: DeviceID

    /// The text that the caller gives back.
    func text(digest: [UInt8]) -> String {
        var bytes: [UInt8] = [1] + digest + device.bytes
        switch key {
        case .created: break
        case .name(let name): bytes += Array(name.utf8)
        case .lastSeen(let time):
            let bits = UInt64(bitPattern: time)
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(56 - $0 * 8)) }
        }
        return bytes.hex
    }

    /// The cursor that `text` spells for a list with this order and digest.
    init(_ text: String, sort: DeviceSort, digest: [UInt8]) throws(Refusal) {
        let head = 1 + digest.count
        guard text.utf8.count <= FleetLimits.cursorBytes, let bytes = [UInt8](hex: text), bytes.count >= head + 16,
            bytes[0] == 1, bytes[1..<head].elementsEqual(digest), let device = DeviceID(bytes: bytes[head..<head + 16])
        else { throw Self.invalid }
        let rest = bytes[(head + 16)...]
        switch sort {
        case .name, .nameDescending:
            guard let name = Name(String(decoding: rest, as: UTF8.self)) else { throw Self.invalid }
            key = .name(name.text)
        case .created, .createdDescending:
            guard rest.isEmpty else { throw Self.invalid }
            key = .created
        case .lastSeen, .lastSeenDescending:
            guard rest.count == 8 else { throw Self.invalid }
            key = .lastSeen(Int64(bitPattern: rest.reduce(0) { $0 << 8 | UInt64($1) }))
        }
        self.device = device
    }

    init(key: Key, device: DeviceID) {
        self.key = key
        self.device = device
    }

    /// What ties a cursor to its list.
    static func digest(sort: DeviceSort, filter: String) -> [UInt8] {
        Array(SHA256.hash(data: Array("\(sort.rawValue)\n\(filter)".utf8)).prefix(8))
    }

    private static let invalid = Refusal(
        .invalid, "cursor.invalid", "the cursor does not belong to this list; begin again without one")
}
