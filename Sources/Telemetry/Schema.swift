public import Storage

/// The tables of stored telemetry.
public enum TelemetrySchema {
    /// Tables in the main database: which series there are, which day partitions, and hourly summaries that outlive
    /// the raw readings.
    public static let part = MigrationPart(
        "telemetry",
        [
            Migration(
                1, "series, partitions and summaries",
                """
                CREATE TABLE series (
                    tenant BYTEA NOT NULL,
                    number BIGINT NOT NULL,
                    name TEXT NOT NULL,
                    unit TEXT,
                    PRIMARY KEY (tenant, number),
                    UNIQUE (tenant, name)
                );
                CREATE TABLE device_series (
                    tenant BYTEA NOT NULL,
                    device BYTEA NOT NULL,
                    series BIGINT NOT NULL,
                    first_hour BIGINT NOT NULL,
                    PRIMARY KEY (tenant, device, series)
                );
                CREATE TABLE telemetry_day (
                    day BIGINT NOT NULL PRIMARY KEY
                );
                CREATE TABLE day_summary (
                    tenant BYTEA NOT NULL,
                    device BYTEA NOT NULL,
                    day BIGINT NOT NULL,
                    body BYTEA NOT NULL,
                    PRIMARY KEY (tenant, device, day)
                );
                """)
        ])

    /// The table of a day's partition: one row for a device and hour, and one more for each overlay of late data.
    public static let partition = MigrationPart(
        "telemetry_chunk",
        [
            Migration(
                1, "chunks",
                """
                CREATE TABLE chunk (
                    tenant BYTEA NOT NULL,
                    device BYTEA NOT NULL,
                    hour BIGINT NOT NULL,
                    part BIGINT NOT NULL,
                    body BYTEA NOT NULL,
                    PRIMARY KEY (tenant, device, hour, part)
                );
                """),
            Migration(
                2, "when a chunk was written, by which a day's summary tells what it sums up",
                "ALTER TABLE chunk ADD COLUMN written BIGINT NOT NULL DEFAULT 0;"),
        ])
}
