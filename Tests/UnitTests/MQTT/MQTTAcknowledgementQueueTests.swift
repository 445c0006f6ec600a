import Testing

@testable import MQTT

@Suite struct MQTTAcknowledgementQueueTests {
    /// The same queue, slow and obvious.
    private struct Oracle {
        var first: UInt64 = 0
        var entries: [AcknowledgementQueue.Entry] = []

        mutating func next(through last: UInt64? = nil) -> AcknowledgementQueue.Entry? {
            guard let entry = entries.first, entry.decision != nil || (last.map { first <= $0 } ?? false) else {
                return nil
            }
            first += 1
            return entries.removeFirst()
        }
    }

    @Test("the ring behaves like a list", arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func oracle(_ seed: UInt64) {
        var random = MQTTSeededGenerator(seed: seed)
        var queue = AcknowledgementQueue()
        var oracle = Oracle()
        for _ in 0..<5000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                let packetID = UInt16.random(in: 1...UInt16.max, using: &random)
                let qos: QoS = Bool.random(using: &random) ? .atLeastOnce : .exactlyOnce
                let decision: ReasonCode? = Int.random(in: 0..<8, using: &random) == 0 ? .success : nil
                let handle = queue.append(packetID: packetID, qos: qos, decision: decision)
                #expect(handle.sequence == oracle.first + UInt64(oracle.entries.count))
                oracle.entries.append(.init(packetID: packetID, qos: qos, decision: decision))
            case 4..<7:
                let number = UInt64.random(in: 0...(oracle.first + UInt64(oracle.entries.count) + 3), using: &random)
                queue.decide(PublishHandle(sequence: number), .quotaExceeded)
                if number >= oracle.first, number - oracle.first < UInt64(oracle.entries.count) {
                    let index = Int(number - oracle.first)
                    if oracle.entries[index].decision == nil { oracle.entries[index].decision = .quotaExceeded }
                }
            case 7..<9: #expect(queue.next() == oracle.next())
            default:
                let last = oracle.first + UInt64.random(in: 0..<4, using: &random)
                while true {
                    let entry = queue.next(through: PublishHandle(sequence: last))
                    #expect(entry == oracle.next(through: last))
                    if entry == nil { break }
                }
            }
            #expect(queue.count == oracle.entries.count)
            #expect(queue.waiting.map(\.1) == oracle.entries)
        }
    }
}

/// The same numbers for the same seed (SplitMix64).
struct MQTTSeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
