public import Base
import Storage
import Trust

/// The single-use secret with which a registered device asks for its first certificate; shown once.
public struct EnrolmentToken: Sendable {
    /// The secret.
    public let text: String
    /// Until when it works.
    public let expires: Timestamp
}

/// What an enrolment token turned out to be, for the log only: the caller learns nothing of it.
enum EnrolmentVerdict: Equatable {
    case good
    case absent
    case wrong
    case used
    case expired
    case otherDomain
}

/// The rows of enrolment tokens: one for each device at a time, only its hash.
enum EnrolmentTokens {
    /// The word in a token's prefix.
    static let kind = "enrol"

    static func life(_ asked: Duration?) throws(Refusal) -> Duration {
        let life = asked ?? FleetLimits.enrolmentTokenLife
        guard life > .zero, life <= FleetLimits.enrolmentTokenLifeLongest else {
            throw Refusal(
                .invalid, "enrolment.life", "An enrolment token lives for more than nothing and at most 366 days.")
        }
        return life
    }

    /// Gives devices new tokens in place of their present ones.
    static func issue(
        to devices: [Device], life: Duration, at now: Timestamp, areNew: Bool, in transaction: Transaction
    ) throws -> [EnrolmentToken] {
        let expires = now + life
        var random = BufferedRandom()
        let tokens = devices.map { _ in Token.make(kind: kind, using: &random) }
        if !areNew {
            for device in devices {
                try transaction.execute("DELETE FROM enrolment_token WHERE tenant = $1 AND device = $2", device.id)
            }
        }
        try transaction.insert(
            into: "enrolment_token", columns: ["device", "hash", "domain", "created", "expires"],
            rows: zip(devices, tokens).map { device, token in
                [device.id.sqlValue, .blob(token.hash), device.domain.sqlValue, now.sqlValue, expires.sqlValue]
            })
        return tokens.map { EnrolmentToken(text: $0.text, expires: expires) }
    }

    static func judge(_ hash: [UInt8], of device: Device, at now: Timestamp, in transaction: Transaction) throws
        -> EnrolmentVerdict
    {
        let row = try transaction.row(
            "SELECT hash, domain, expires, used FROM enrolment_token WHERE tenant = $1 AND device = $2", device.id)
        guard let row else { return .absent }
        guard ConstantTime.equal(try row.blob(0), hash) else { return .wrong }
        guard row.isNull(3) else { return .used }
        guard try row.timestamp(2) > now else { return .expired }
        return try row.identifier(1, as: DomainID.self) == device.domain ? .good : .otherDomain
    }

    /// Uses the token up; false when another enrolment was faster.
    static func consume(_ hash: [UInt8], of device: DeviceID, at now: Timestamp, in transaction: Transaction) throws
        -> Bool
    {
        try transaction.execute(
            """
            UPDATE enrolment_token SET used = $4
            WHERE tenant = $1 AND device = $2 AND hash = $3 AND used IS NULL AND expires > $4
            """, device, hash, now) == 1
    }

    /// Until when the device's unused token works; nil when it has none.
    static func outstanding(_ device: DeviceID, in transaction: Transaction) throws -> Timestamp? {
        try transaction.row(
            "SELECT expires FROM enrolment_token WHERE tenant = $1 AND device = $2 AND used IS NULL", device
        ).map { try $0.timestamp(0) }
    }

    static func withdraw(_ device: DeviceID, in transaction: Transaction) throws {
        try transaction.execute("DELETE FROM enrolment_token WHERE tenant = $1 AND device = $2", device)
    }
}
