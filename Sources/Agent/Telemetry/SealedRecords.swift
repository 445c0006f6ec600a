import Base
import Crypto
import FoundationEssentials

/// The sealed records of one part of the buffer: four bytes of length, then AES-256-GCM under the record's number.
///
/// What a power cut left half written at the end is not a record yet. A record that was damaged on the disk is skipped and
/// counted, and those behind it are found again, also when it is its length that is wrong.
struct SealedRecords {
    /// Damaged records one behind the other over which the next good one is found.
    private static let gap: UInt64 = 8
    /// Bytes of a sealed record beside what it holds: nonce and tag.
    private static let overhead = 28

    /// What could be read, in its order.
    private(set) var readings: [JSONValue] = []
    /// How many records could not.
    private(set) var lost: Int64 = 0

    /// The records in `bytes`, the first of which has the number `first`.
    init(_ bytes: [UInt8], first: UInt64, key: SymmetricKey) {
        var (rest, number) = (bytes[...], first)
        while let length = Self.length(rest) {
            if let reading = Self.open(rest, length, number, key) {
                readings.append(reading)
                rest = rest.dropFirst(4 + length)
                number += 1
                continue
            }
            guard let (place, skipped) = Self.next(in: rest.dropFirst(), behind: number, key) else {
                lost += Self.count(rest)
                return
            }
            lost += Int64(skipped)
            number += skipped
            rest = rest[place...]
        }
    }

    /// A record.
    static func seal(_ plain: [UInt8], number: UInt64, key: SymmetricKey) throws -> [UInt8] {
        let box = try AES.GCM.seal(plain, using: key, authenticating: bytes(of: number))
        guard let sealed = box.combined else { throw FileFailure("a reading can not be sealed") }
        return bytes(of: UInt64(sealed.count)).suffix(4) + Array(sealed)
    }

    private static func length(_ rest: ArraySlice<UInt8>) -> Int? {
        rest.count < 4 ? nil : rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
    }

    private static func open(
        _ rest: ArraySlice<UInt8>, _ length: Int, _ number: UInt64, _ key: SymmetricKey
    ) -> JSONValue? {
        guard length <= rest.count - 4,
            let box = try? AES.GCM.SealedBox(combined: Array(rest.dropFirst(4).prefix(length))),
            let plain = try? AES.GCM.open(box, using: key, authenticating: bytes(of: number))
        else { return nil }
        return try? JSONValue(parsing: Array(plain))
    }

    /// Where the next good record begins, and how many numbers lie between.
    private static func next(
        in rest: ArraySlice<UInt8>, behind number: UInt64, _ key: SymmetricKey
    ) -> (place: Int, skipped: UInt64)? {
        for place in rest.indices {
            let rest = rest[place...]
            guard let length = Self.length(rest), length > overhead, length <= rest.count - 4 else { continue }
            for skipped in 1...gap where open(rest, length, number + skipped, key) != nil { return (place, skipped) }
        }
        return nil
    }

    /// How many whole records there seem to be, by their lengths alone; what a power cut left as zeros are none.
    private static func count(_ rest: ArraySlice<UInt8>) -> Int64 {
        var (rest, count): (ArraySlice<UInt8>, Int64) = (rest, 0)
        while let length = Self.length(rest), length > overhead, length <= rest.count - 4 {
            count += 1
            rest = rest.dropFirst(4 + length)
        }
        return count
    }

    private static func bytes(of number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * UInt64($0))) }
    }
}
