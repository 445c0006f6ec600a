import Base
import Fleet
import Storage

/// How a device stands in a campaign.
enum CampaignMemberState: Int64, Sendable {
    /// Its group has not begun, or has not come to it.
    case planned = 0
    /// It has got its task.
    case ordered = 1
    /// It had the release already, or a later one.
    case upToDate = 2
    /// Nobody may install on it in the campaign's name, the release is not for its hardware, or it is gone.
    case leftOut = 3
    /// It got the former release again.
    case rolledBack = 4
    /// It had another release than the campaign's by then, or hardware that the former is not for, or was gone, so taking that
    /// back did nothing to it.
    case movedOn = 5
}

/// Members of campaigns; every call runs in a tenant's transaction.
enum CampaignMembers {
    /// Puts devices into groups, each of which still waits for its task.
    static func insert(
        _ members: some Sequence<(device: DeviceID, number: Int)>, into campaign: CampaignID,
        in transaction: Transaction
    ) throws {
        try transaction.insert(
            into: "campaign_member", columns: ["device", "campaign", "number", "state"],
            rows: members.map {
                [
                    $0.device.sqlValue, campaign.sqlValue, Int64($0.number).sqlValue,
                    CampaignMemberState.planned.rawValue.sqlValue,
                ]
            })
    }

    /// The next members of a group in this state.
    static func next(
        _ state: CampaignMemberState, of number: Int, in campaign: CampaignID, limit: Int, _ transaction: Transaction
    ) throws -> [DeviceID] {
        try transaction.rows(
            """
            SELECT device FROM campaign_member
            WHERE tenant = $1 AND campaign = $2 AND number = $3 AND state = $4 ORDER BY device LIMIT $5
            """, campaign, number, state.rawValue, limit
        ).map { try $0.identifier(0) }
    }

    /// Says how these members stand from now on.
    static func set(
        _ state: CampaignMemberState, _ devices: [DeviceID], in campaign: CampaignID, _ transaction: Transaction
    ) throws {
        for start in stride(from: 0, to: devices.count, by: OperationLimits.membersAtOnce) {
            var sql = SQLBuilder()
            let (place, new) = (sql.bind(campaign), sql.bind(state.rawValue))
            let some = devices[start..<min(start + OperationLimits.membersAtOnce, devices.count)]
            let list = some.map { sql.bind($0) }.joined(separator: ", ")
            try transaction.execute(
                """
                UPDATE campaign_member SET state = \(new)
                WHERE tenant = $1 AND campaign = \(place) AND device IN (\(list))
                """, arguments: sql.arguments)
        }
    }

    /// Those of these devices that are in a campaign already.
    static func known(
        _ devices: [DeviceID], in campaign: CampaignID, _ transaction: Transaction
    ) throws -> Set<DeviceID> {
        var known: Set<DeviceID> = []
        for start in stride(from: 0, to: devices.count, by: OperationLimits.membersAtOnce) {
            var sql = SQLBuilder()
            let place = sql.bind(campaign)
            let some = devices[start..<min(start + OperationLimits.membersAtOnce, devices.count)]
            let list = some.map { sql.bind($0) }.joined(separator: ", ")
            try transaction.forEach(
                "SELECT device FROM campaign_member WHERE tenant = $1 AND campaign = \(place) AND device IN (\(list))",
                arguments: sql.arguments
            ) { known.insert(try $0.identifier(0)) }
        }
        return known
    }
}
