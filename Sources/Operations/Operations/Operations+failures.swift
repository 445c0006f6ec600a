package import Base
package import Storage

/// An operation as far as its failures go.
package struct OperationFailures: Sendable, Hashable {
    /// The operation.
    package let operation: OperationID
    /// What people call it.
    package let title: String
    /// The domain it was ordered for, as it was named then; nil when it was ordered otherwise.
    package let domain: String?
    /// The campaign of which it is a group; nil when it is none.
    package let campaign: CampaignID?
    /// How many of its tasks failed, timed out, were refused or expired.
    package let failures: Int
    /// How many tasks it has.
    package let total: Int
    /// Whether it is over.
    package let isOver: Bool
}

extension Operations {
    /// What failed of these operations of the transaction's tenant; those that are gone are left out.
    package func failures(
        of operations: some Sequence<OperationID>, in transaction: Transaction
    ) throws -> [OperationFailures] {
        try operations.compactMap { id in
            try OperationStore.find(id, in: transaction).map { operation in
                OperationFailures(
                    operation: id, title: operation.title, domain: operation.target["domain"]?.string,
                    campaign: try campaignID(ofGroup: id, in: transaction),
                    failures: operation.counts.reduce(0) { $0 + ($1.key.isFailure ? $1.value : 0) },
                    total: operation.total, isOver: operation.finished != nil)
            }
        }
    }

    /// How many tasks of an operation failed at `time` or later, in the ways in which they are failed now.
    package func failures(
        of operation: OperationID, since time: Timestamp, in transaction: Transaction
    ) throws -> Int {
        let failed = TaskState.allCases.filter(\.isFailure).map { "\($0.rawValue)" }.joined(separator: ", ")
        return try transaction.row(
            """
            SELECT count(*) FROM task t
            WHERE t.tenant = $1 AND t.operation = $2 AND t.state IN (\(failed)) AND t.changed >= $3
            """, operation, time
        )?.int(0) ?? 0
    }

    /// The operations of the transaction's tenant with failures that are not over, or were not at `time`.
    package func failing(since time: Timestamp, in transaction: Transaction) throws -> [OperationID] {
        let failed = TaskState.allCases.filter(\.isFailure).map { "\($0.rawValue)" }.joined(separator: ", ")
        return try transaction.rows(
            """
            SELECT o.id FROM operation o
            WHERE o.tenant = $1 AND (o.state IN ('preparing', 'running', 'paused') OR o.finished > $2)
                AND EXISTS (SELECT 1 FROM operation_count c WHERE c.tenant = $1 AND c.operation = o.id
                    AND c.state IN (\(failed)) AND c.tasks > 0)
            ORDER BY o.id
            """, time
        ).map { try $0.identifier(0) }
    }
}
