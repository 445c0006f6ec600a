public import Storage

/// The tables that this target owns.
public enum TrustSchema {
    /// Tenant keys, issuing CAs and device certificates.
    public static let part = MigrationPart(
        "trust",
        [
            Migration(
                1, "tenant keys, issuing CAs, device certificates",
                """
                CREATE TABLE tenant_key (
                    tenant BYTEA NOT NULL,
                    version BIGINT NOT NULL,
                    root_version BIGINT NOT NULL,
                    wrapped BYTEA NOT NULL,
                    created_at BIGINT NOT NULL,
                    retired_at BIGINT,
                    PRIMARY KEY (tenant, version)
                );
                CREATE TABLE issuing_ca (
                    tenant BYTEA NOT NULL,
                    key_identifier BYTEA NOT NULL,
                    host TEXT NOT NULL,
                    certificate BYTEA NOT NULL,
                    private_key BYTEA,
                    created_at BIGINT NOT NULL,
                    not_after BIGINT NOT NULL,
                    retired_at BIGINT,
                    PRIMARY KEY (tenant, key_identifier)
                );
                CREATE TABLE certificate (
                    tenant BYTEA NOT NULL,
                    fingerprint BYTEA NOT NULL,
                    device BYTEA NOT NULL,
                    serial BYTEA NOT NULL,
                    channel TEXT NOT NULL,
                    not_before BIGINT NOT NULL,
                    not_after BIGINT NOT NULL,
                    issued_at BIGINT NOT NULL,
                    status TEXT NOT NULL,
                    revoked_at BIGINT,
                    reason TEXT,
                    PRIMARY KEY (tenant, fingerprint)
                );
                CREATE INDEX certificate_device ON certificate (tenant, device);
                CREATE INDEX certificate_not_after ON certificate (not_after)
                """),
            Migration(
                2, "which installation the database belongs to",
                """
                CREATE TABLE installation (
                    id BYTEA NOT NULL PRIMARY KEY,
                    deployment TEXT NOT NULL
                )
                """),
        ])
}
