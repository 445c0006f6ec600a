import Access
import Base
import Storage

/// Campaigns between their tables and memory; every call runs in a tenant's transaction.
enum CampaignStore {
    private static let columns =
        "c.id, c.title, c.release, c.target, c.terms, c.success, c.error, c.sample, c.newcomers, c.creator, c.creator_name, c.creator_kind, c.sponsor, c.sponsor_home, c.approver_name, c.state, c.reason, c.reason_group, c.ending, c.rollback_release, c.rollback_operation, c.created, c.started, c.finished"

    static func insert(_ campaign: Campaign, in transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO campaign (tenant, id, title, release, target, terms, success, error, sample, newcomers, creator,
                creator_name, creator_kind, sponsor, sponsor_home, state, ending, created)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0, $17)
            """, campaign.id, campaign.title, campaign.release, campaign.target.canonical,
            campaign.terms.json.canonical, campaign.rules.success, campaign.rules.error, campaign.rules.sample,
            campaign.takesNewcomers, campaign.creator, campaign.creatorName, campaign.sponsor.kind,
            campaign.sponsor.id, campaign.sponsor.home, campaign.state.rawValue, campaign.created)
        try transaction.insert(
            into: "campaign_group",
            columns: [
                "campaign", "number", "percent", "bound", "members", "planned", "up_to_date", "left_out",
                "forgiven_failures", "forgiven_judged", "passed",
            ],
            rows: campaign.groups.map { group in
                [
                    campaign.id.sqlValue, group.number.sqlValue, group.percent.sqlValue, group.bound.sqlValue,
                    group.members.sqlValue, group.planned.sqlValue, .integer(0), .integer(0), .integer(0), .integer(0),
                    .integer(0),
                ]
            })
    }

    static func find(_ id: CampaignID, in transaction: Transaction) throws -> Campaign? {
        try transaction.row("SELECT \(columns) FROM campaign c WHERE c.tenant = $1 AND c.id = $2", id).map {
            try whole([read($0)], in: transaction)[0]
        }
    }

    /// Campaigns that meet a condition on `c`, the newest first.
    static func page(
        _ condition: String, arguments: [any SQLBindable], limit: Int, in transaction: Transaction
    ) throws -> [Campaign] {
        let rows = try transaction.rows(
            """
            SELECT \(columns) FROM campaign c WHERE c.tenant = $1\(condition) ORDER BY c.id DESC
            LIMIT \(limit)
            """, arguments: arguments)
        return try whole(rows.map(read), in: transaction)
    }

    /// The campaigns with their groups, and how their tasks stand.
    private static func whole(_ campaigns: [Campaign], in transaction: Transaction) throws -> [Campaign] {
        try campaigns.map { campaign in
            var campaign = campaign
            campaign.groups = try groups(of: campaign.id, in: transaction)
            let operations = campaign.groups.compactMap(\.operation) + [campaign.rollback?.operation].compactMap(\.self)
            let counts = try OperationStore.counts(of: operations, in: transaction)
            for index in campaign.groups.indices {
                campaign.groups[index].counts = campaign.groups[index].operation.flatMap { counts[$0] } ?? [:]
            }
            if var rollback = campaign.rollback {
                rollback.counts = rollback.operation.flatMap { counts[$0] } ?? [:]
                campaign.rollback = rollback
            }
            return campaign
        }
    }

    private static func groups(of campaign: CampaignID, in transaction: Transaction) throws -> [CampaignGroup] {
        try transaction.rows(
            """
            SELECT number, percent, bound, operation, started, members, planned, up_to_date, left_out,
                forgiven_failures, forgiven_judged, passed
            FROM campaign_group WHERE tenant = $1 AND campaign = $2 ORDER BY number
            """, campaign
        ).map { row in
            CampaignGroup(
                number: try row.int(0), percent: try row.integerIfAny(1).map { Int($0) },
                bound: try row.integerIfAny(2), operation: try row.identifierIfAny(3),
                started: try row.timestampIfAny(4), members: try row.int(5), planned: try row.int(6),
                upToDate: try row.int(7), leftOut: try row.int(8),
                forgiven: .init(
                    failures: try row.int(9), judged: try row.int(10), isPassed: try row.bool(11)))
        }
    }

    /// Says how far a campaign is; a pause has a reason, and nothing else has.
    static func set(
        _ state: Campaign.State, of id: CampaignID, reason: Campaign.Pause? = nil, group: Int? = nil,
        in transaction: Transaction
    ) throws {
        try transaction.execute(
            "UPDATE campaign SET state = $3, reason = $4, reason_group = $5 WHERE tenant = $1 AND id = $2", id,
            state.rawValue, reason?.rawValue, group)
    }

    /// Writes one column of a campaign.
    static func set(
        _ column: StaticString, _ value: any SQLBindable, of id: CampaignID, in transaction: Transaction
    ) throws {
        try transaction.execute("UPDATE campaign SET \(column) = $3 WHERE tenant = $1 AND id = $2", id, value)
    }

    /// Writes what changes of a group.
    static func update(_ group: CampaignGroup, of campaign: CampaignID, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE campaign_group SET operation = $4, started = $5, members = $6, planned = $7, up_to_date = $8,
                left_out = $9, forgiven_failures = $10, forgiven_judged = $11, passed = $12
            WHERE tenant = $1 AND campaign = $2 AND number = $3
            """, campaign, group.number, group.operation, group.started, group.members, group.planned, group.upToDate,
            group.leftOut, group.forgiven.failures, group.forgiven.judged, group.forgiven.isPassed)
    }

    /// So many failures of a group are tried again: what was forgiven of it is less by them, so that it hides no later ones.
    static func holdAgainst(_ count: Int, ofGroup operation: OperationID, in transaction: Transaction) throws {
        guard count > 0 else { return }
        try transaction.execute(
            """
            UPDATE campaign_group SET
                forgiven_failures = CASE WHEN forgiven_failures > $3 THEN forgiven_failures - $3 ELSE 0 END,
                forgiven_judged = CASE WHEN forgiven_judged > $3 THEN forgiven_judged - $3 ELSE 0 END
            WHERE tenant = $1 AND operation = $2
            """, operation, count)
    }

    /// How many campaigns of the tenant are not over.
    static func countOpen(in transaction: Transaction) throws -> Int {
        try transaction.row("SELECT count(*) FROM campaign WHERE tenant = $1 AND finished IS NULL")?.int(0) ?? 0
    }

    /// Whether a campaign that is kept names this release.
    static func names(_ release: ReleaseID, in transaction: Transaction) throws -> Bool {
        try transaction.row(
            "SELECT 1 FROM campaign WHERE tenant = $1 AND (release = $2 OR rollback_release = $2) LIMIT 1", release
        ) != nil
    }

    private static func read(_ row: Row) throws -> Campaign {
        guard let state = Campaign.State(rawValue: try row.text(15)) else {
            throw StorageError(.corrupt, "a campaign's row is not readable")
        }
        return Campaign(
            id: try row.identifier(0), title: try row.text(1), release: try row.identifier(2),
            target: try JSONValue(parsing: Array(try row.text(3).utf8)),
            terms: OperationTerms(stored: try JSONValue(parsing: Array(try row.text(4).utf8))),
            rules: CampaignRules(
                success: try row.int(5), error: try row.integerIfAny(6).map { Int($0) }, sample: try row.int(7)),
            takesNewcomers: try row.bool(8), creator: try row.identifier(9), creatorName: try row.text(10),
            approverName: try row.textIfAny(14), state: state,
            reason: try row.textIfAny(16).flatMap(Campaign.Pause.init(rawValue:)),
            reasonGroup: try row.integerIfAny(17).map { Int($0) }, created: try row.timestamp(21),
            started: try row.timestampIfAny(22), finished: try row.timestampIfAny(23), groups: [],
            rollback: try row.identifierIfAny(19, as: ReleaseID.self).map {
                CampaignRollback(release: $0, operation: try row.identifierIfAny(20))
            },
            sponsor: CampaignSponsor(
                id: try row.identifier(12), home: try row.identifier(13), kind: try row.text(11)),
            isEnding: try row.bool(18))
    }
}
