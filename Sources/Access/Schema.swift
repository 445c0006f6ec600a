public import Storage

/// The tables of tenants and rights.
public enum AccessSchema {
    /// Tenants, plans and credentials are the platform's tables, found before a tenant is known; all else is a tenant's.
    public static let part = MigrationPart(
        "access",
        [
            Migration(
                1, "tenants, plans, domains, principals, roles, grants, shares and tokens",
                """
                CREATE TABLE plan (
                    id BYTEA NOT NULL PRIMARY KEY,
                    name TEXT NOT NULL UNIQUE,
                    figures TEXT NOT NULL
                );
                CREATE TABLE tenant (
                    id BYTEA NOT NULL PRIMARY KEY,
                    slug TEXT NOT NULL UNIQUE,
                    name TEXT NOT NULL,
                    status TEXT NOT NULL,
                    plan BYTEA NOT NULL REFERENCES plan (id),
                    root_domain BYTEA NOT NULL,
                    created BIGINT NOT NULL,
                    demo BIGINT NOT NULL
                );
                CREATE TABLE domain (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    parent BYTEA,
                    name TEXT NOT NULL,
                    created BIGINT NOT NULL,
                    PRIMARY KEY (tenant, id),
                    UNIQUE (tenant, parent, name)
                );
                CREATE TABLE principal (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    kind TEXT NOT NULL,
                    name TEXT NOT NULL,
                    active BIGINT NOT NULL,
                    created BIGINT NOT NULL,
                    PRIMARY KEY (tenant, id),
                    UNIQUE (tenant, name)
                );
                CREATE TABLE custom_role (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    name TEXT NOT NULL,
                    permissions TEXT NOT NULL,
                    PRIMARY KEY (tenant, id),
                    UNIQUE (tenant, name)
                );
                CREATE TABLE role_grant (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    principal BYTEA NOT NULL,
                    role BYTEA NOT NULL,
                    domain BYTEA NOT NULL,
                    expires BIGINT,
                    created BIGINT NOT NULL,
                    PRIMARY KEY (tenant, id)
                );
                CREATE INDEX role_grant_principal ON role_grant (tenant, principal);
                CREATE TABLE share (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    grantee BYTEA NOT NULL,
                    grantee_principal BYTEA,
                    grantee_role BYTEA,
                    role BYTEA NOT NULL,
                    domain BYTEA NOT NULL,
                    status TEXT NOT NULL,
                    ends BIGINT NOT NULL,
                    offered BIGINT NOT NULL,
                    answered BIGINT,
                    ended BIGINT,
                    PRIMARY KEY (tenant, id)
                );
                CREATE INDEX share_grantee ON share (grantee, tenant);
                CREATE TABLE bearer_token (
                    hash BYTEA NOT NULL PRIMARY KEY,
                    id BYTEA NOT NULL UNIQUE,
                    owner BYTEA NOT NULL,
                    principal BYTEA NOT NULL,
                    name TEXT NOT NULL,
                    created BIGINT NOT NULL,
                    expires BIGINT,
                    last_used BIGINT,
                    revoked BIGINT
                );
                CREATE INDEX bearer_token_owner ON bearer_token (owner, id);
                """),
            Migration(
                2, "one table of all that proves a principal",
                """
                CREATE TABLE credential (
                    hash BYTEA NOT NULL PRIMARY KEY,
                    id BYTEA NOT NULL UNIQUE,
                    owner BYTEA NOT NULL,
                    principal BYTEA NOT NULL,
                    kind TEXT NOT NULL,
                    name TEXT NOT NULL,
                    permissions TEXT,
                    addresses TEXT,
                    created BIGINT NOT NULL,
                    expires BIGINT,
                    idle BIGINT,
                    last_used BIGINT,
                    revoked BIGINT,
                    address TEXT,
                    agent TEXT
                );
                INSERT INTO credential (hash, id, owner, principal, kind, name, created, expires, last_used, revoked)
                    SELECT hash, id, owner, principal, 'token', name, created, expires, last_used, revoked
                    FROM bearer_token;
                DROP TABLE bearer_token;
                CREATE INDEX credential_owner ON credential (owner, id);
                CREATE INDEX credential_principal ON credential (owner, principal, id);
                """),
            Migration(
                3, "user groups; grants and shares on single devices; moves; changes that wait for a second approver",
                """
                CREATE TABLE user_group (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    name TEXT NOT NULL,
                    created BIGINT NOT NULL,
                    PRIMARY KEY (tenant, id),
                    UNIQUE (tenant, name)
                );
                CREATE TABLE user_group_member (
                    tenant BYTEA NOT NULL,
                    user_group BYTEA NOT NULL,
                    principal BYTEA NOT NULL,
                    created BIGINT NOT NULL,
                    PRIMARY KEY (tenant, user_group, principal)
                );
                CREATE INDEX user_group_member_principal ON user_group_member (tenant, principal);
                CREATE TABLE placed_grant (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    holder BYTEA NOT NULL,
                    is_group BIGINT NOT NULL,
                    role BYTEA NOT NULL,
                    domain BYTEA,
                    device BYTEA,
                    expires BIGINT,
                    created BIGINT NOT NULL,
                    PRIMARY KEY (tenant, id)
                );
                INSERT INTO placed_grant (tenant, id, holder, is_group, role, domain, expires, created)
                    SELECT tenant, id, principal, 0, role, domain, expires, created FROM role_grant;
                DROP TABLE role_grant;
                ALTER TABLE placed_grant RENAME TO role_grant;
                CREATE INDEX role_grant_holder ON role_grant (tenant, holder);
                CREATE INDEX role_grant_domain ON role_grant (tenant, domain);
                CREATE INDEX role_grant_device ON role_grant (tenant, device);
                CREATE TABLE placed_share (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    grantee BYTEA NOT NULL,
                    grantee_principal BYTEA,
                    grantee_role BYTEA,
                    role BYTEA NOT NULL,
                    domain BYTEA,
                    device BYTEA,
                    status TEXT NOT NULL,
                    ends BIGINT NOT NULL,
                    offered BIGINT NOT NULL,
                    answered BIGINT,
                    ended BIGINT,
                    PRIMARY KEY (tenant, id)
                );
                INSERT INTO placed_share (tenant, id, grantee, grantee_principal, grantee_role, role, domain, status,
                        ends, offered, answered, ended)
                    SELECT tenant, id, grantee, grantee_principal, grantee_role, role, domain, status, ends, offered,
                        answered, ended FROM share;
                DROP TABLE share;
                ALTER TABLE placed_share RENAME TO share;
                CREATE INDEX share_grantee ON share (grantee, tenant);
                CREATE TABLE move (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    kind TEXT NOT NULL,
                    object BYTEA NOT NULL,
                    origin BYTEA NOT NULL,
                    target BYTEA NOT NULL,
                    principal BYTEA NOT NULL,
                    made BIGINT NOT NULL,
                    undone BIGINT,
                    PRIMARY KEY (tenant, id)
                );
                CREATE TABLE pending_change (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    kind TEXT NOT NULL,
                    change TEXT NOT NULL,
                    reason TEXT NOT NULL,
                    proposer BYTEA NOT NULL,
                    proposed BIGINT NOT NULL,
                    expires BIGINT NOT NULL,
                    status TEXT NOT NULL,
                    decider BYTEA,
                    decided BIGINT,
                    PRIMARY KEY (tenant, id)
                );
                CREATE INDEX pending_change_status ON pending_change (status, expires);
                CREATE TABLE approval_policy (
                    tenant BYTEA NOT NULL PRIMARY KEY,
                    needs_second BIGINT NOT NULL
                );
                UPDATE custom_role SET permissions = permissions || ' device.control'
                    WHERE ' ' || permissions || ' ' LIKE '% device.manage %';
                UPDATE custom_role SET name = name || '-custom'
                    WHERE name IN ('owner', 'technician', 'analyst', 'auditor', 'guest');
                """),
            Migration(
                4, "grants that were made and ended, so that it can be undone",
                """
                CREATE TABLE grant_change (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    act TEXT NOT NULL,
                    role_grant BYTEA NOT NULL,
                    holder BYTEA NOT NULL,
                    is_group BIGINT NOT NULL,
                    role BYTEA NOT NULL,
                    domain BYTEA,
                    device BYTEA,
                    expires BIGINT,
                    created BIGINT NOT NULL,
                    principal BYTEA NOT NULL,
                    undone BIGINT,
                    PRIMARY KEY (tenant, id)
                );
                """),
            Migration(
                5, "the time zone in which a tenant's times are shown",
                "ALTER TABLE tenant ADD COLUMN time_zone TEXT;"),
            Migration(
                6, "the sealed secrets of changes that wait",
                "ALTER TABLE pending_change ADD COLUMN secret BYTEA;"),
            Migration(
                7, "what a proposed change was about when it was proposed",
                "ALTER TABLE pending_change ADD COLUMN told TEXT;"),
        ])
}
