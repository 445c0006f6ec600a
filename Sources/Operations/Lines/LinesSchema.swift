public import Storage

/// The table of release lines, which belong to the tenant that offers them.
public enum LinesSchema {
    /// Release lines, and by which of them a release came.
    public static let part = MigrationPart(
        "lines",
        [
            Migration(
                1, "release lines",
                """
                CREATE TABLE release_line (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    taker BYTEA NOT NULL,
                    component TEXT NOT NULL,
                    status TEXT NOT NULL,
                    offered BIGINT NOT NULL,
                    accepter BYTEA,
                    arrived BIGINT NOT NULL,
                    problem TEXT,
                    tried BIGINT,
                    PRIMARY KEY (tenant, id)
                );
                CREATE INDEX release_line_taker ON release_line (taker, id);
                CREATE INDEX release_line_open ON release_line (id) WHERE status = 'accepted';
                CREATE UNIQUE INDEX release_line_once ON release_line (tenant, taker, component)
                    WHERE status IN ('offered', 'accepted');
                CREATE TABLE release_origin (
                    tenant BYTEA NOT NULL,
                    release BYTEA NOT NULL,
                    line BYTEA NOT NULL,
                    source BYTEA NOT NULL,
                    PRIMARY KEY (tenant, release)
                );
                CREATE INDEX release_origin_source ON release_origin (tenant, line, source)
                """)
        ])

    /// The tables, in the order in which a removed tenant's rows go.
    static let tables = ["release_origin", "release_line"]
}
