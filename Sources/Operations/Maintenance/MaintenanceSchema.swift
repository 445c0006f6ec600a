public import Storage
import Trust

/// The table of the keys that sign what devices are told.
///
/// A key that was replaced has no private half any more: nobody can sign with it, and its public half stays for as long
/// as what it signed counts; before that it has signed for the one after it, which is kept longer. `reserved` is a time after which nothing has been signed yet, see ``Sequences``.
public enum MaintenanceSchema {
    /// The keys of all tenants.
    public static let part = MigrationPart(
        "maintenance",
        [
            Migration(
                1, "maintenance keys",
                """
                CREATE TABLE maintenance_key (
                    tenant BYTEA NOT NULL,
                    id TEXT NOT NULL,
                    public_key BYTEA NOT NULL,
                    private_key BYTEA,
                    made BIGINT NOT NULL,
                    retired BIGINT,
                    reserved BIGINT NOT NULL,
                    PRIMARY KEY (tenant, id)
                );
                CREATE INDEX maintenance_key_retired ON maintenance_key (retired) WHERE retired IS NOT NULL
                """),
            Migration(
                2, "vouchers of maintenance keys",
                """
                CREATE TABLE maintenance_voucher (
                    tenant BYTEA NOT NULL,
                    number BIGINT NOT NULL,
                    text TEXT NOT NULL,
                    PRIMARY KEY (tenant, number)
                )
                """),
        ])

    static let key = SealedColumn(table: "maintenance_key", rowColumns: ["id"], column: "private_key")

    /// The tables, which go with a removed tenant.
    static let tables = ["maintenance_key", "maintenance_voucher"]
}
