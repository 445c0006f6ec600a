import Base
import Storage

/// The short numbers by which update clients name tasks, unique in the deployment.
enum TaskNumber {
    /// Takes `count` numbers that nobody had before.
    static func take(_ count: Int, in transaction: Transaction) throws -> [Int64] {
        var numbers: [Int64] = []
        numbers.reserveCapacity(count)
        // Some of those that are taken may not be used; as many more take their place.
        while numbers.count < count {
            numbers += try range(of: Int64(count - numbers.count), in: transaction).lazy.filter(isUsable)
        }
        return numbers
    }

    /// The next so many numbers, whether they may be used or not.
    private static func range(of count: Int64, in transaction: Transaction) throws -> Range<Int64> {
        guard
            let next = try transaction.row(
                """
                INSERT INTO task_number (name, next) VALUES ('task', $1) ON CONFLICT (name)
                DO UPDATE SET next = task_number.next + $2 RETURNING next
                """, OperationLimits.numbers.lowerBound + count, count)?.integer(0)
        else { throw StorageError(.corrupt, "the database gave no number for a task") }
        guard next <= OperationLimits.numbers.upperBound else {
            throw Refusal(
                .tooLarge, "task.numbers",
                "Update clients can number no more tasks: \(OperationLimits.numbers.upperBound) were made.")
        }
        return (next - count)..<next
    }

    /// False for a digit and zeros: 20, 300.
    static func isUsable(_ number: Int64) -> Bool {
        var rest = number
        while rest >= 10, rest.isMultiple(of: 10) { rest /= 10 }
        return rest >= 10
    }
}
