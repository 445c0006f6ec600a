import Base
import Storage
import Trust

/// The code that was sent to a telephone of an account, the last one only: an account has one row.
struct TextCode {
    var factor: FactorID
    /// Sealed; nil once it was used or guessed at too often.
    var code: [UInt8]?
    /// How many tries are left.
    var tries: Int64
    var expires: Timestamp
    /// When the last one was sent, how many were, and since when they are counted.
    var sent: Timestamp
    var count: Int64
    var since: Timestamp

    static func find(_ account: Account, in tx: Transaction) throws -> TextCode? {
        try tx.scoped(to: account.tenant).row(
            """
            SELECT factor, code, tries, expires, sent, sent_count, first_sent FROM text_code
            WHERE tenant = $1 AND principal = $2
            """, account.principal
        ).map { row in
            TextCode(
                factor: try row.identifier(0), code: try row.blobIfAny(1), tries: try row.integer(2),
                expires: try row.timestamp(3), sent: try row.timestamp(4), count: try row.integer(5),
                since: try row.timestamp(6))
        }
    }

    func write(_ account: Account, in tx: Transaction) throws {
        try tx.scoped(to: account.tenant).execute(
            """
            INSERT INTO text_code (tenant, principal, factor, code, tries, expires, sent, sent_count, first_sent)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (tenant, principal) DO UPDATE SET factor = excluded.factor, code = excluded.code,
                tries = excluded.tries, expires = excluded.expires, sent = excluded.sent,
                sent_count = excluded.sent_count, first_sent = excluded.first_sent
            """, account.principal, factor, code, tries, expires, sent, count, since)
    }

    /// The row after another code was sent; refuses when there were too many, or one just now.
    static func next(after last: TextCode?, to factor: FactorID, sealed: [UInt8], at now: Timestamp) throws -> TextCode
    {
        var (count, since) = (Int64(0), now)
        let window = Duration.seconds(SignInLimits.textWindowMinutes * 60)
        if let last {
            let pause = last.sent + .seconds(SignInLimits.textPauseSeconds) - now
            if pause > .zero { throw tooSoon(min(pause, .seconds(SignInLimits.textPauseSeconds))) }
            if now - last.since < window { (count, since) = (last.count, last.since) }
        }
        guard count < SignInLimits.textsPerWindow else { throw tooSoon(min(since + window - now, window)) }
        return TextCode(
            factor: factor, code: sealed, tries: SignInLimits.textTries,
            expires: now + .seconds(SignInLimits.textSeconds), sent: now, count: count + 1, since: since)
    }

    private static func tooSoon(_ wait: Duration) -> Refusal {
        Refusal(
            .limited, "factor.sent",
            "A code was sent already. Another one can be sent in \(max(wait.components.seconds, 1)) seconds.",
            retryAfter: wait)
    }
}
