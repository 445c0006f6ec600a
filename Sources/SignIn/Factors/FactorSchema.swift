public import Storage
public import Trust

/// The tables of factors.
public enum FactorSchema {
    /// Used passkey challenges are the platform's table, because they come before a tenant is known; all else is a
    /// tenant's.
    public static let part = MigrationPart(
        "factors",
        [
            Migration(
                1, "factors, recovery codes, codes by text message, counts of wrong guesses, what is demanded",
                """
                CREATE TABLE factor (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    principal BYTEA NOT NULL,
                    method TEXT NOT NULL,
                    name TEXT NOT NULL,
                    created BIGINT NOT NULL,
                    confirmed BIGINT,
                    last_used BIGINT,
                    counter BIGINT NOT NULL,
                    secret BYTEA,
                    credential BYTEA,
                    public_key BYTEA,
                    transports TEXT,
                    backup_eligible BIGINT NOT NULL,
                    PRIMARY KEY (tenant, id),
                    UNIQUE (tenant, credential)
                );
                CREATE INDEX factor_principal ON factor (tenant, principal);
                CREATE INDEX factor_credential ON factor (credential);
                CREATE TABLE recovery_code (
                    tenant BYTEA NOT NULL,
                    principal BYTEA NOT NULL,
                    hash BYTEA NOT NULL,
                    made BIGINT NOT NULL,
                    used BIGINT,
                    PRIMARY KEY (tenant, principal, hash)
                );
                CREATE TABLE text_code (
                    tenant BYTEA NOT NULL,
                    principal BYTEA NOT NULL,
                    factor BYTEA NOT NULL,
                    code BYTEA,
                    tries BIGINT NOT NULL,
                    expires BIGINT NOT NULL,
                    sent BIGINT NOT NULL,
                    sent_count BIGINT NOT NULL,
                    first_sent BIGINT NOT NULL,
                    PRIMARY KEY (tenant, principal)
                );
                CREATE TABLE factor_guess (
                    tenant BYTEA NOT NULL,
                    principal BYTEA NOT NULL,
                    method TEXT NOT NULL,
                    network TEXT NOT NULL,
                    failures BIGINT NOT NULL,
                    last BIGINT NOT NULL,
                    proved BIGINT,
                    PRIMARY KEY (tenant, principal, method, network)
                );
                CREATE INDEX factor_guess_last ON factor_guess (last);
                CREATE TABLE factor_policy (
                    tenant BYTEA NOT NULL,
                    role BYTEA NOT NULL,
                    level TEXT NOT NULL,
                    PRIMARY KEY (tenant, role)
                );
                CREATE TABLE step_up (
                    tenant BYTEA NOT NULL,
                    credential BYTEA NOT NULL,
                    proved BIGINT NOT NULL,
                    PRIMARY KEY (tenant, credential)
                );
                CREATE INDEX step_up_proved ON step_up (proved);
                CREATE TABLE used_challenge (
                    hash BYTEA NOT NULL PRIMARY KEY,
                    expires BIGINT NOT NULL
                );
                CREATE INDEX used_challenge_expires ON used_challenge (expires);
                """)
        ])

    /// The columns whose values the key ring seals. Codes by text message end long before a rotation would matter.
    public static let sealedColumns = [secretColumn, textCodeColumn]

    /// The secret of an authenticator program, or a telephone's number.
    static let secretColumn = SealedColumn(table: "factor", rowColumns: ["id"], column: "secret")
    static let textCodeColumn = SealedColumn(
        table: "text_code", rowColumns: ["principal"], column: "code", rotation: .kept)
    /// Where passkey challenges are sealed; they are never stored.
    static let challengeColumn = SealedColumn(
        table: "used_challenge", rowColumns: [], column: "challenge", rotation: .kept)
}
