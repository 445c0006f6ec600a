public import Storage
public import Trust

/// The tables that this target owns.
///
/// `device_scan` and `device_scan_name` hold all that filters ask of a device, in the two orders of lists: a filter that
/// matches little is then a scan of one narrow index, without a look at the rows.
public enum FleetSchema {
    /// Devices, their models, identifiers, tokens, presence, documents and events.
    public static let part = MigrationPart(
        "fleet",
        [
            Migration(
                1, "devices, models, hardware identifiers, tokens, presence",
                """
                CREATE TABLE model (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    name TEXT NOT NULL,
                    version BIGINT NOT NULL,
                    document TEXT NOT NULL,
                    created BIGINT NOT NULL,
                    changed BIGINT NOT NULL,
                    PRIMARY KEY (tenant, id),
                    UNIQUE (tenant, name)
                );
                CREATE TABLE model_version (
                    tenant BYTEA NOT NULL,
                    model BYTEA NOT NULL,
                    version BIGINT NOT NULL,
                    document TEXT NOT NULL,
                    changed BIGINT NOT NULL,
                    PRIMARY KEY (tenant, model, version)
                );
                CREATE TABLE device (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    name TEXT NOT NULL,
                    domain BYTEA NOT NULL,
                    model BYTEA,
                    status BIGINT NOT NULL,
                    capabilities BIGINT NOT NULL,
                    enrolled BIGINT,
                    created BIGINT NOT NULL,
                    changed BIGINT NOT NULL,
                    revision BIGINT NOT NULL,
                    identifiers TEXT NOT NULL,
                    labels TEXT NOT NULL,
                    attributes TEXT NOT NULL,
                    components TEXT NOT NULL,
                    latitude DOUBLE PRECISION,
                    longitude DOUBLE PRECISION,
                    place TEXT,
                    PRIMARY KEY (tenant, id)
                );
                CREATE UNIQUE INDEX device_name ON device (tenant, name);
                CREATE INDEX device_scan ON device (tenant, id, status, model, domain, capabilities, enrolled, name);
                CREATE INDEX device_scan_name ON device (tenant, name, id, status, model, domain, capabilities, enrolled);
                CREATE TABLE device_label (
                    tenant BYTEA NOT NULL,
                    key TEXT NOT NULL,
                    value TEXT NOT NULL,
                    device BYTEA NOT NULL,
                    PRIMARY KEY (tenant, key, value, device)
                );
                CREATE TABLE hardware_identifier (
                    kind TEXT NOT NULL,
                    value TEXT NOT NULL,
                    owner BYTEA NOT NULL,
                    device BYTEA NOT NULL,
                    claimed BIGINT NOT NULL,
                    retired BIGINT,
                    PRIMARY KEY (kind, value)
                );
                CREATE INDEX hardware_identifier_device ON hardware_identifier (owner, device);
                CREATE TABLE enrolment_token (
                    tenant BYTEA NOT NULL,
                    device BYTEA NOT NULL,
                    hash BYTEA NOT NULL,
                    domain BYTEA NOT NULL,
                    created BIGINT NOT NULL,
                    expires BIGINT NOT NULL,
                    used BIGINT,
                    PRIMARY KEY (tenant, device)
                );
                CREATE TABLE device_access_token (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    device BYTEA NOT NULL,
                    hash BYTEA NOT NULL,
                    created BIGINT NOT NULL,
                    PRIMARY KEY (tenant, id),
                    UNIQUE (hash)
                );
                CREATE INDEX device_access_token_device ON device_access_token (tenant, device);
                CREATE TABLE device_presence (
                    tenant BYTEA NOT NULL,
                    device BYTEA NOT NULL,
                    online BIGINT NOT NULL,
                    last_seen BIGINT NOT NULL,
                    connected BIGINT NOT NULL,
                    disconnected BIGINT NOT NULL,
                    connections BIGINT NOT NULL,
                    protocol TEXT NOT NULL,
                    address TEXT NOT NULL,
                    PRIMARY KEY (tenant, device)
                );
                CREATE INDEX device_presence_seen ON device_presence (tenant, last_seen, device);
                CREATE INDEX device_presence_online ON device_presence (tenant, device) WHERE online = 1
                """),
            Migration(
                2, "devices' documents and events",
                """
                CREATE TABLE device_document (
                    tenant BYTEA NOT NULL,
                    device BYTEA NOT NULL,
                    kind TEXT NOT NULL,
                    version BIGINT NOT NULL,
                    document TEXT NOT NULL,
                    changed BIGINT NOT NULL,
                    PRIMARY KEY (tenant, device, kind)
                );
                CREATE TABLE device_event (
                    tenant BYTEA NOT NULL,
                    device BYTEA NOT NULL,
                    time BIGINT NOT NULL,
                    sequence BIGINT NOT NULL,
                    code TEXT NOT NULL,
                    severity TEXT NOT NULL,
                    text TEXT,
                    details TEXT NOT NULL,
                    PRIMARY KEY (tenant, device, time, sequence)
                );
                CREATE INDEX device_event_received ON device_event (tenant, sequence)
                """),
            // Partial on a condition that holds of every device: only a statement that names the condition uses it, so
            // that lists go on reading in their own order, whatever domains they ask for.
            Migration(
                3, "devices by their domain",
                """
                CREATE INDEX device_domain ON device (tenant, domain, name, id) WHERE revision > 0
                """),
            // All that a map asks, so that it never reads devices themselves.
            Migration(
                4, "devices by their position",
                """
                CREATE INDEX device_position ON device (tenant, latitude, longitude, domain, name, id)
                    WHERE latitude IS NOT NULL
                """),
            Migration(
                5, "how often contact with devices failed",
                """
                CREATE TABLE device_failure (
                    tenant BYTEA NOT NULL,
                    device BYTEA NOT NULL,
                    lost BIGINT NOT NULL,
                    refused BIGINT NOT NULL,
                    total BIGINT NOT NULL,
                    last BIGINT NOT NULL,
                    kind TEXT NOT NULL,
                    reason TEXT NOT NULL,
                    PRIMARY KEY (tenant, device)
                );
                CREATE INDEX device_failure_last ON device_failure (tenant, last, device);
                CREATE INDEX device_failure_total ON device_failure (tenant, total, device)
                """),
            Migration(
                6, "heartbeat policies, and who missed calls",
                """
                CREATE TABLE heartbeat_policy (
                    tenant BYTEA NOT NULL,
                    kind TEXT NOT NULL,
                    place BYTEA NOT NULL,
                    policy TEXT NOT NULL,
                    changed BIGINT NOT NULL,
                    PRIMARY KEY (tenant, kind, place)
                );
                CREATE TABLE device_heartbeat (
                    tenant BYTEA NOT NULL,
                    device BYTEA NOT NULL,
                    state BIGINT NOT NULL,
                    since BIGINT NOT NULL,
                    late BIGINT NOT NULL,
                    silent BIGINT NOT NULL,
                    PRIMARY KEY (tenant, device)
                );
                CREATE INDEX device_heartbeat_state ON device_heartbeat (tenant, state, device)
                """),
            // What was desired so far is the devices' own layer.
            Migration(
                7, "layers of desired documents, their secrets and their drift",
                """
                CREATE TABLE desired_layer (
                    tenant BYTEA NOT NULL,
                    kind TEXT NOT NULL,
                    place BYTEA NOT NULL,
                    version BIGINT NOT NULL,
                    document TEXT NOT NULL,
                    secrets BYTEA,
                    changed BIGINT NOT NULL,
                    PRIMARY KEY (tenant, kind, place)
                );
                CREATE TABLE desired_refresh (
                    tenant BYTEA NOT NULL,
                    kind TEXT NOT NULL,
                    place BYTEA NOT NULL,
                    position BYTEA,
                    PRIMARY KEY (tenant, kind, place)
                );
                INSERT INTO desired_layer (tenant, kind, place, version, document, changed)
                SELECT tenant, 'device', device, version, document, changed
                FROM device_document WHERE kind = 'desired';
                ALTER TABLE device_document ADD COLUMN secrets BYTEA;
                ALTER TABLE device_document ADD COLUMN drift BIGINT;
                ALTER TABLE device_document ADD COLUMN faults TEXT;
                CREATE INDEX device_document_drift ON device_document (tenant, device) WHERE drift > 0;
                CREATE TABLE desired_edit (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    creator BYTEA NOT NULL,
                    creator_name TEXT NOT NULL,
                    created BIGINT NOT NULL,
                    finished BIGINT,
                    total BIGINT NOT NULL,
                    done BIGINT NOT NULL,
                    refused BIGINT NOT NULL,
                    faults TEXT NOT NULL,
                    PRIMARY KEY (tenant, id)
                );
                CREATE INDEX desired_edit_open ON desired_edit (tenant, id) WHERE finished IS NULL;
                CREATE TABLE desired_edit_device (
                    tenant BYTEA NOT NULL,
                    edit BYTEA NOT NULL,
                    device BYTEA NOT NULL,
                    change BYTEA NOT NULL,
                    PRIMARY KEY (tenant, edit, device)
                )
                """),
            Migration(
                8, "tokens of gateways that speak for all devices",
                """
                CREATE TABLE gateway_token (
                    tenant BYTEA NOT NULL PRIMARY KEY,
                    hash BYTEA NOT NULL,
                    creator_name TEXT NOT NULL,
                    created BIGINT NOT NULL
                )
                """),
            // No release has made an edit of the earlier form, so none is under way.
            Migration(
                9, "edits that keep once what their devices share",
                """
                DELETE FROM desired_edit WHERE finished IS NULL;
                ALTER TABLE desired_edit ADD COLUMN change BYTEA;
                ALTER TABLE desired_edit ADD COLUMN ready BIGINT NOT NULL DEFAULT 1;
                DROP TABLE desired_edit_device;
                CREATE TABLE desired_edit_device (
                    tenant BYTEA NOT NULL,
                    edit BYTEA NOT NULL,
                    device BYTEA NOT NULL,
                    number BIGINT NOT NULL,
                    texts BYTEA,
                    PRIMARY KEY (tenant, edit, device)
                )
                """),
            Migration(
                10, "models say what releases call their hardware", "ALTER TABLE model ADD COLUMN hardware TEXT"),
        ])

    /// The sealed columns, for the key ring.
    public static let sealedColumns = [
        LayerStore.sealed, DocumentStore.sealed, EditStore.sealedChange, EditStore.sealedTexts,
    ]
}
