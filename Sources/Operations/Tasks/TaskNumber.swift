import Base
import Storage

/// The short numbers by which update clients name tasks, unique in the deployment.
enum TaskNumber {
    /// Takes `count` numbers that nobody had before.
    static func take(_ count: Int, in transaction: Transaction) throws -> [Int64] {
        guard count > 0 else { return [] }
        // So many more that the numbers which may not be used can be left out.
        let reserve = Int64(count) + 16
        guard
            let next = try transaction.row(
                """
                INSERT INTO task_number (name, next) VALUES ('task', $1) ON CONFLICT (name)
                DO UPDATE SET next = task_number.next + $2 RETURNING next
                """, OperationLimits.numbers.lowerBound + reserve, reserve)?.integer(0)
        else { throw StorageError(.corrupt, "the database gave no number for a task") }
        guard next <= OperationLimits.numbers.upperBound else {
            throw Refusal(
                .tooLarge, "task.numbers",
                "Update clients can number no more tasks: \(OperationLimits.numbers.upperBound) were made.")
        }
        return Array(((next - reserve)..<next).lazy.filter(isUsable).prefix(count))
    }

    /// False for a digit and zeros: 20, 300.
    static func isUsable(_ number: Int64) -> Bool {
        var rest = number
        while rest >= 10, rest.isMultiple(of: 10) { rest /= 10 }
        return rest >= 10
    }
}
