public import Storage

/// The tables of releases and what they are made of.
public enum ReleasesSchema {
    /// Artifacts, the keys that sign them, and releases.
    public static let part = MigrationPart(
        "releases",
        [
            Migration(
                1, "artifacts, update keys and releases",
                """
                CREATE TABLE artifact (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    name TEXT NOT NULL,
                    size BIGINT NOT NULL,
                    expected BYTEA,
                    creator BYTEA NOT NULL,
                    creator_name TEXT NOT NULL,
                    created BIGINT NOT NULL,
                    touched BIGINT NOT NULL,
                    finished BIGINT,
                    type TEXT,
                    sha256 BYTEA,
                    sha1 BYTEA,
                    md5 BYTEA,
                    signature TEXT,
                    signer TEXT,
                    PRIMARY KEY (tenant, id)
                );
                CREATE INDEX artifact_open ON artifact (tenant, id) WHERE finished IS NULL;
                CREATE TABLE update_key (
                    tenant BYTEA NOT NULL,
                    name TEXT NOT NULL,
                    pem TEXT NOT NULL,
                    creator_name TEXT NOT NULL,
                    created BIGINT NOT NULL,
                    PRIMARY KEY (tenant, name)
                );
                CREATE TABLE release (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    component TEXT NOT NULL,
                    version TEXT NOT NULL,
                    counter BIGINT NOT NULL,
                    hardware TEXT NOT NULL,
                    notes TEXT NOT NULL,
                    support_ends BIGINT,
                    sbom BYTEA,
                    state TEXT NOT NULL,
                    creator BYTEA NOT NULL,
                    creator_name TEXT NOT NULL,
                    created BIGINT NOT NULL,
                    published BIGINT,
                    withdrawn BIGINT,
                    PRIMARY KEY (tenant, id)
                );
                CREATE UNIQUE INDEX release_counter ON release (tenant, component, counter);
                CREATE UNIQUE INDEX release_version ON release (tenant, component, version);
                CREATE INDEX release_sbom ON release (tenant, sbom) WHERE sbom IS NOT NULL;
                CREATE TABLE release_artifact (
                    tenant BYTEA NOT NULL,
                    release BYTEA NOT NULL,
                    place BIGINT NOT NULL,
                    artifact BYTEA NOT NULL,
                    PRIMARY KEY (tenant, release, place)
                );
                CREATE INDEX release_of_artifact ON release_artifact (tenant, artifact);
                CREATE INDEX operation_release ON operation (tenant, release) WHERE release IS NOT NULL
                """),
            Migration(
                2, "what devices installed, and which agree by themselves",
                """
                CREATE INDEX task_installed ON task (tenant, device, number) WHERE type = 'install' AND state = 100;
                CREATE TABLE auto_confirm (
                    tenant BYTEA NOT NULL,
                    device BYTEA NOT NULL,
                    initiator TEXT NOT NULL,
                    remark TEXT NOT NULL,
                    activated BIGINT NOT NULL,
                    PRIMARY KEY (tenant, device)
                )
                """),
            // A start reads one row for each device, however long the history is.
            Migration(
                3, "what each device installed last",
                """
                CREATE TABLE last_install (
                    tenant BYTEA NOT NULL,
                    device BYTEA NOT NULL,
                    number BIGINT NOT NULL,
                    PRIMARY KEY (tenant, device)
                );
                INSERT INTO last_install (tenant, device, number)
                SELECT tenant, device, max(number) FROM task
                WHERE type = 'install' AND state = 100 GROUP BY tenant, device;
                DROP INDEX task_installed
                """),
        ])

    /// The tables, in the order in which a removed tenant's rows go.
    static let tables = ["last_install", "auto_confirm", "release_artifact", "release", "update_key", "artifact"]
}
