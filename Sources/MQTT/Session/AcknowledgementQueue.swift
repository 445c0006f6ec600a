/// Names one QoS 1 or 2 message that the session handed to its owner and that waits to be acknowledged.
public struct PublishHandle: Sendable, Hashable, Comparable {
    /// The message's place in the order of arrival on this connection.
    public let sequence: UInt64

    /// An earlier message comes first.
    public static func < (left: Self, right: Self) -> Bool { left.sequence < right.sequence }
}

/// The messages that wait for the owner's decision, in the order of arrival.
///
/// The owner may decide in any order, but acknowledgements leave in the order of arrival: [MQTT-4.6.0-2] and
/// [MQTT-4.6.0-3] ask it of clients, and a client may rely on the server to do the same. A ring of four bytes a message,
/// as large as the connection ever needed.
struct AcknowledgementQueue {
    /// One waiting message.
    struct Entry: Equatable {
        var packetID: UInt16
        var qos: QoS
        /// The owner's decision, nil while there is none.
        var decision: ReasonCode?
    }

    private static let exactlyOnce: UInt32 = 1 << 16
    private static let decided: UInt32 = 1 << 17

    private var ring: [UInt32] = []
    private var head = 0
    private(set) var count = 0
    /// The place of the oldest waiting message.
    private(set) var first: UInt64 = 0
    /// The words of decisions, by place: beside the ring, because few decisions have any.
    private var texts: [UInt64: String] = [:]

    /// Adds a message behind all others; one whose answer is known already only waits for its turn.
    mutating func append(packetID: UInt16, qos: QoS, decision: ReasonCode? = nil) -> PublishHandle {
        if count == ring.count { grow() }
        var word = UInt32(packetID)
        if qos == .exactlyOnce { word |= Self.exactlyOnce }
        if let decision { word |= Self.decided | UInt32(decision.rawValue) << 24 }
        ring[(head + count) & (ring.count - 1)] = word
        defer { count += 1 }
        return PublishHandle(sequence: first + UInt64(count))
    }

    /// Notes the owner's decision; one about a message that waits no longer changes nothing.
    mutating func decide(_ handle: PublishHandle, _ reason: ReasonCode, text: String? = nil) {
        guard handle.sequence >= first, handle.sequence - first < UInt64(count) else { return }
        let index = (head + Int(handle.sequence - first)) & (ring.count - 1)
        guard ring[index] & Self.decided == 0 else { return }
        ring[index] |= Self.decided | UInt32(reason.rawValue) << 24
        if let text { texts[handle.sequence] = text }
    }

    /// Removes and returns the oldest message if it is decided or not younger than `through`.
    mutating func next(through last: PublishHandle? = nil) -> Entry? {
        guard count > 0 else { return nil }
        let entry = Entry(ring[head])
        if entry.decision == nil {
            guard let last, first <= last.sequence else { return nil }
        }
        head = (head + 1) & (ring.count - 1)
        count -= 1
        first += 1
        return entry
    }

    /// The words of the decision on the message that was removed last, if there were any.
    mutating func takeText() -> String? { texts.isEmpty ? nil : texts.removeValue(forKey: first &- 1) }

    /// The messages that wait, with their handles.
    var waiting: [(PublishHandle, Entry)] {
        (0..<count).map { offset in
            (PublishHandle(sequence: first + UInt64(offset)), Entry(ring[(head + offset) & (ring.count - 1)]))
        }
    }

    /// Doubles the ring, whose size stays a power of two.
    private mutating func grow() {
        var larger: [UInt32] = []
        larger.reserveCapacity(max(4, ring.count * 2))
        larger += ring[head...]
        larger += ring[..<head]
        larger += repeatElement(0, count: max(4, ring.count))
        ring = larger
        head = 0
    }
}

extension AcknowledgementQueue.Entry {
    fileprivate init(_ word: UInt32) {
        packetID = UInt16(truncatingIfNeeded: word)
        qos = word & 1 << 16 != 0 ? .exactlyOnce : .atLeastOnce
        decision = word & 1 << 17 != 0 ? ReasonCode(rawValue: UInt8(word >> 24)) : nil
    }
}
