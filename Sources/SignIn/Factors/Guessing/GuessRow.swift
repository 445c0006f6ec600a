import Base
import Storage

/// The counts of wrong guesses of one method of one account, in their table.
struct GuessRow {
    let tenant: TenantID
    let principal: PrincipalID
    let method: FactorMethod
    /// The network of the guess: an IPv4 address, or an IPv6 /64, which one household has to itself.
    let network: String

    init(_ account: Account, _ method: FactorMethod, from address: String?) {
        tenant = account.tenant
        principal = account.principal
        self.method = method
        let parsed = address.flatMap { NetworkAddress($0) }
        network = parsed.map { AddressRange(around: $0, bits: 64).description } ?? "unknown"
    }

    /// Stands for all networks together.
    private static let everywhere = "*"

    /// How long the next guess has to wait, nil when it need not.
    func wait(at now: Timestamp, in tx: Transaction) throws -> Duration? {
        let own = try read(network, in: tx)
        if let wait = own.count.wait(.network, at: now) { return wait }
        // Where the holder was right lately, others' guesses from elsewhere count for nothing.
        if let proved = own.proved, now - proved < .seconds(SignInLimits.trustedNetworkDays * 86_400) { return nil }
        return try read(Self.everywhere, in: tx).count.wait(.everywhere, at: now)
    }

    /// Counts a wrong guess.
    func failed(at now: Timestamp, in tx: Transaction) throws {
        let before = try read(network, in: tx)
        try write(network, before.count.failed(at: now), before.proved, in: tx)
        let all = try read(Self.everywhere, in: tx)
        try write(Self.everywhere, all.count.failed(at: now), nil, in: tx)
        try bound(in: tx)
    }

    /// Whether the holder was right here since then.
    func wasProved(since time: Timestamp, in tx: Transaction) throws -> Bool {
        try read(network, in: tx).proved.map { $0 >= time } ?? false
    }

    /// Notes that the holder was right here. The count of all networks stays: else a guesser's own correct codes for
    /// something else would wipe it.
    func proved(at now: Timestamp, in tx: Transaction) throws {
        try write(network, GuessCount(failures: 0, last: now), now, in: tx)
        try bound(in: tx)
    }

    /// Forgets every count of an account, as after an administrator's reset.
    static func forget(_ account: Account, in tx: Transaction) throws {
        try tx.scoped(to: account.tenant).execute(
            "DELETE FROM factor_guess WHERE tenant = $1 AND principal = $2", account.principal)
    }

    private func read(_ network: String, in tx: Transaction) throws -> (count: GuessCount, proved: Timestamp?) {
        let row = try tx.scoped(to: tenant).row(
            """
            SELECT failures, last, proved FROM factor_guess
            WHERE tenant = $1 AND principal = $2 AND method = $3 AND network = $4
            """, principal, method.rawValue, network)
        guard let row else { return (GuessCount(), nil) }
        return (GuessCount(failures: try row.integer(0), last: try row.timestamp(1)), try row.timestampIfAny(2))
    }

    private func write(_ network: String, _ count: GuessCount, _ proved: Timestamp?, in tx: Transaction) throws {
        try tx.scoped(to: tenant).execute(
            """
            INSERT INTO factor_guess (tenant, principal, method, network, failures, last, proved)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (tenant, principal, method, network) DO UPDATE
            SET failures = excluded.failures, last = excluded.last, proved = excluded.proved
            """, principal, method.rawValue, network, count.failures, count.last, proved)
    }

    /// Keeps the newest networks only, so that guesses from many places fill nothing. The count of everywhere stays, and
    /// by then makes them wait.
    private func bound(in tx: Transaction) throws {
        try tx.scoped(to: tenant).execute(
            """
            DELETE FROM factor_guess WHERE tenant = $1 AND principal = $2 AND method = $3 AND network IN (
                SELECT network FROM factor_guess
                WHERE tenant = $1 AND principal = $2 AND method = $3 AND network <> '\(Self.everywhere)'
                ORDER BY CASE WHEN proved IS NULL THEN 0 ELSE 1 END DESC, last DESC
                LIMIT 1000 OFFSET \(SignInLimits.guessNetworks))
            """, principal, method.rawValue)
    }
}
