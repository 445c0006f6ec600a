import Base
import Storage
import Trust

/// What a challenge is for, sealed into the challenge itself: so a ceremony that is begun and left takes no room, and
/// no answer counts for another ceremony, another session or another person.
struct PasskeyTicket: Equatable {
    enum Purpose: UInt8 {
        case registration = 1
        case factor = 2
        case signIn = 3
    }

    var purpose: Purpose
    /// Whose ceremony it is, unless they are still to be found out.
    var holder: [UInt8]
    /// The session or waiting sign-in that began it.
    var context: [UInt8]
    var expires: Timestamp

    private static let version: UInt8 = 1

    /// The ticket as a challenge, unlike any other.
    func challenge(_ keyRing: KeyRing, in tx: Transaction) throws -> [UInt8] {
        var bytes: [UInt8] = [Self.version, purpose.rawValue]
        bytes += stride(from: 56, through: 0, by: -8).map {
            UInt8(truncatingIfNeeded: expires.microseconds >> Int64($0))
        }
        for part in [holder, context] {
            bytes.append(UInt8(clamping: part.count))
            bytes += part
        }
        return try keyRing.seal(bytes, at: Self.place, in: tx)
    }

    /// The ticket in a challenge, or nil when it is none of this server's.
    init?(challenge: [UInt8], _ keyRing: KeyRing, in tx: Transaction) throws {
        guard challenge.count <= SignInLimits.challengeBytes else { return nil }
        let bytes: [UInt8]
        do {
            bytes = try keyRing.open(challenge, at: Self.place, in: tx)
        } catch let refusal as Refusal where refusal.code == "trust.sealBroken" {
            return nil
        }
        var rest = bytes[...]
        func take(_ count: Int) -> [UInt8]? {
            guard rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        guard let head = take(2), head[0] == Self.version, let purpose = Purpose(rawValue: head[1]),
            let time = take(8), let holderCount = take(1), let holder = take(Int(holderCount[0])),
            let contextCount = take(1), let context = take(Int(contextCount[0])), rest.isEmpty
        else { return nil }
        self.purpose = purpose
        self.holder = holder
        self.context = context
        expires = Timestamp(microseconds: time.reduce(Int64(0)) { $0 << 8 | Int64($1) })
    }

    init(_ purpose: Purpose, holder: [UInt8], context: [UInt8], now: Timestamp) {
        self.purpose = purpose
        self.holder = holder
        self.context = context
        expires = now + .seconds(SignInLimits.ceremonyMinutes * 60)
    }

    private static let place = FactorSchema.challengeColumn.place(.platform)
}
