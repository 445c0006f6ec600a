public import Storage

/// The tables of campaigns.
///
/// A member is a device in a group; beside its group stands how many members are in each state, so that nobody ever
/// counts them. What became of their tasks stands beside the groups' operations, as for every operation.
public enum CampaignsSchema {
    /// Campaigns, their groups and members, and what may go back to an earlier release.
    public static let part = MigrationPart(
        "campaigns",
        [
            Migration(
                1, "campaigns",
                """
                CREATE TABLE campaign (
                    tenant BYTEA NOT NULL,
                    id BYTEA NOT NULL,
                    title TEXT NOT NULL,
                    release BYTEA NOT NULL,
                    target TEXT NOT NULL,
                    terms TEXT NOT NULL,
                    success BIGINT NOT NULL,
                    error BIGINT,
                    sample BIGINT NOT NULL,
                    newcomers BIGINT NOT NULL,
                    creator BYTEA NOT NULL,
                    creator_name TEXT NOT NULL,
                    creator_kind TEXT NOT NULL,
                    sponsor BYTEA NOT NULL,
                    sponsor_home BYTEA NOT NULL,
                    approver_name TEXT,
                    state TEXT NOT NULL,
                    reason TEXT,
                    reason_group BIGINT,
                    ending BIGINT NOT NULL,
                    rollback_release BYTEA,
                    rollback_operation BYTEA,
                    created BIGINT NOT NULL,
                    started BIGINT,
                    finished BIGINT,
                    PRIMARY KEY (tenant, id)
                );
                CREATE INDEX campaign_open ON campaign (tenant, id) WHERE finished IS NULL;
                CREATE INDEX campaign_over ON campaign (finished, tenant, id) WHERE finished IS NOT NULL;
                CREATE INDEX campaign_release ON campaign (tenant, release);
                CREATE TABLE campaign_group (
                    tenant BYTEA NOT NULL,
                    campaign BYTEA NOT NULL,
                    number BIGINT NOT NULL,
                    percent BIGINT,
                    bound BIGINT,
                    operation BYTEA,
                    started BIGINT,
                    members BIGINT NOT NULL,
                    planned BIGINT NOT NULL,
                    up_to_date BIGINT NOT NULL,
                    left_out BIGINT NOT NULL,
                    forgiven_failures BIGINT NOT NULL,
                    forgiven_judged BIGINT NOT NULL,
                    passed BIGINT NOT NULL,
                    PRIMARY KEY (tenant, campaign, number)
                );
                CREATE INDEX campaign_group_operation ON campaign_group (tenant, operation) WHERE operation IS NOT NULL;
                CREATE TABLE campaign_member (
                    tenant BYTEA NOT NULL,
                    device BYTEA NOT NULL,
                    campaign BYTEA NOT NULL,
                    number BIGINT NOT NULL,
                    state BIGINT NOT NULL,
                    PRIMARY KEY (tenant, device, campaign)
                );
                CREATE INDEX campaign_member_group ON campaign_member (tenant, campaign, number, state, device);
                CREATE TABLE campaign_policy (
                    tenant BYTEA NOT NULL PRIMARY KEY,
                    needs_second BIGINT NOT NULL
                );
                CREATE TABLE rollback_grant (
                    tenant BYTEA NOT NULL,
                    operation BYTEA NOT NULL,
                    PRIMARY KEY (tenant, operation)
                )
                """)
        ])

    /// The tables, in the order in which a removed tenant's rows go.
    static let tables = ["rollback_grant", "campaign_policy", "campaign_member", "campaign_group", "campaign"]
}
