/// The series names that one connection uses, each with a small index, so that a known name costs one comparison.
///
/// Devices send the same names in the same order again and again, so the name after the last one found is tried
/// first; only when that fails is the table asked. Indexes stay valid until `generation` changes, which happens only
/// between payloads, when a connection has used more names than are remembered.
public struct SeriesNameCache: Sendable {
    private struct Entry {
        var offset: Int32
        var count: Int32
        var hash: UInt32
    }

    /// How many names are remembered.
    public let capacity: Int
    /// Counts how often the cache forgot all names; what a caller derived from indexes is valid for one generation.
    public private(set) var generation = 0

    private var entries: [Entry] = []
    private var bytes: [UInt8] = []
    /// Open addressing; a slot holds index + 1, and zero is free. Never more than half full.
    private var slots: [Int32] = []
    private var next = 0
    private let seed: UInt64

    /// An empty cache; `seed` should be random, so that a sender can not choose names that collide.
    public init(capacity: Int = InputLimits().names, seed: UInt64 = .random(in: 0...UInt64.max)) {
        self.capacity = max(1, capacity)
        self.seed = seed
    }

    /// How many names are known.
    public var count: Int { entries.count }

    /// The name at an index that this cache gave, or nil when it gave no such index.
    public func name(at index: Int32) -> String? {
        guard entries.indices.contains(Int(index)) else { return nil }
        let entry = entries[Int(index)]
        return String(decoding: bytes[Int(entry.offset)..<Int(entry.offset + entry.count)], as: UTF8.self)
    }

    /// The index of a known name, or nil.
    public func index(of name: String) -> Int32? {
        var name = name
        return name.withUTF8 { name in
            let empty = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
            return find(empty, name, hash: hash(empty, name))
        }
    }

    /// Forgets all names when no more fit; called before a payload, never inside one.
    mutating func makeRoom() {
        guard entries.count >= capacity else { return }
        entries.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        for slot in slots.indices { slots[slot] = 0 }
        next = 0
        generation += 1
    }

    /// The index of the name `prefix` + `suffix` when it is known.
    @inline(__always)
    mutating func known(_ prefix: UnsafeBufferPointer<UInt8>, _ suffix: UnsafeBufferPointer<UInt8>) -> Int32? {
        if next < entries.count, matches(entries[next], prefix, suffix) {
            let found = Int32(truncatingIfNeeded: next)
            next = next &+ 1 == entries.count ? 0 : next &+ 1
            return found
        }
        return search(prefix, suffix)
    }

    /// Remembers a new name that the caller has checked, or nil when no more fit.
    mutating func insert(_ prefix: UnsafeBufferPointer<UInt8>, _ suffix: UnsafeBufferPointer<UInt8>) -> Int32? {
        guard entries.count < capacity, bytes.count + prefix.count + suffix.count <= Int(Int32.max) else { return nil }
        let index = Int32(entries.count)
        let hash = hash(prefix, suffix)
        entries.append(
            Entry(offset: Int32(bytes.count), count: Int32(prefix.count + suffix.count), hash: hash))
        bytes.append(contentsOf: prefix)
        bytes.append(contentsOf: suffix)
        if entries.count * 2 > slots.count {
            slots = Array(repeating: 0, count: max(16, slots.count * 2))
            for (index, entry) in entries.enumerated() { place(Int32(index), hash: entry.hash) }
        } else {
            place(index, hash: hash)
        }
        return index
    }

    private mutating func place(_ index: Int32, hash: UInt32) {
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = index + 1
    }

    private mutating func search(
        _ prefix: UnsafeBufferPointer<UInt8>, _ suffix: UnsafeBufferPointer<UInt8>
    ) -> Int32? {
        guard let found = find(prefix, suffix, hash: hash(prefix, suffix)) else { return nil }
        next = Int(found) + 1 == entries.count ? 0 : Int(found) + 1
        return found
    }

    private func find(
        _ prefix: UnsafeBufferPointer<UInt8>, _ suffix: UnsafeBufferPointer<UInt8>, hash: UInt32
    ) -> Int32? {
        guard !slots.isEmpty else { return nil }
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] != 0 {
            let index = slots[slot] - 1
            let entry = entries[Int(index)]
            if entry.hash == hash, matches(entry, prefix, suffix) { return index }
            slot = (slot + 1) & mask
        }
        return nil
    }

    @inline(__always)
    private func matches(
        _ entry: Entry, _ prefix: UnsafeBufferPointer<UInt8>, _ suffix: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        guard Int(entry.count) == prefix.count &+ suffix.count else { return false }
        // An entry's place lies inside `bytes` by construction, and the counts add up to its length.
        return bytes.withUnsafeBufferPointer { bytes in
            let start = Int(entry.offset)
            for index in 0..<suffix.count where bytes[start &+ prefix.count &+ index] != suffix[index] { return false }
            for index in 0..<prefix.count where bytes[start &+ index] != prefix[index] { return false }
            return true
        }
    }

    private func hash(_ prefix: UnsafeBufferPointer<UInt8>, _ suffix: UnsafeBufferPointer<UInt8>) -> UInt32 {
        var state = seed ^ 0xCBF2_9CE4_8422_2325
        for byte in prefix { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        for byte in suffix { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        state ^= state >> 32
        return UInt32(truncatingIfNeeded: state &* 0x9E37_79B9_7F4A_7C15 >> 32)
    }
}
