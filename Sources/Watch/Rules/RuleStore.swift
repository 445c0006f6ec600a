import Base
import Storage

/// Alert rules between their table and memory; every call runs in a tenant's transaction.
enum RuleStore {
    private static let columns =
        "r.id, r.name, r.domain, r.conditions, r.severity, r.wait, r.back, r.receivers, r.active, r.created, r.changed"

    static func all(in transaction: Transaction) throws -> [AlertRule] {
        try transaction.rows("SELECT \(columns) FROM alert_rule r WHERE r.tenant = $1 ORDER BY r.name").map(read)
    }

    static func find(_ reference: String, in transaction: Transaction) throws -> AlertRule? {
        let row =
            if let id = AlertRuleID(text: reference) {
                try transaction.row("SELECT \(columns) FROM alert_rule r WHERE r.tenant = $1 AND r.id = $2", id)
            } else {
                try transaction.row(
                    "SELECT \(columns) FROM alert_rule r WHERE r.tenant = $1 AND r.name = $2", reference)
            }
        return try row.map(read)
    }

    /// Writes a rule, new or in the place of what it was.
    static func put(_ rule: AlertRule, in transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO alert_rule (tenant, id, name, domain, conditions, severity, wait, back, receivers, active,
                created, changed)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            ON CONFLICT (tenant, id) DO UPDATE SET name = excluded.name, domain = excluded.domain,
                conditions = excluded.conditions, severity = excluded.severity, wait = excluded.wait,
                back = excluded.back, receivers = excluded.receivers, active = excluded.active,
                changed = excluded.changed
            """, rule.id, rule.name, rule.domain,
            AlertCondition.allCases.filter(rule.conditions.contains).map(\.rawValue).joined(separator: " "),
            rule.severity?.rawValue, rule.wait, rule.tellsBack,
            JSONValue.array(rule.receivers.map(\.json)).canonical, rule.isActive, rule.created, rule.changed)
    }

    private static func read(_ row: Row) throws -> AlertRule {
        guard let name = Name(try row.text(1)),
            case .array(let receivers) = try JSONValue(parsing: Array(try row.text(7).utf8))
        else { throw StorageError(.corrupt, "an alert rule's row is not readable") }
        return AlertRule(
            id: try row.identifier(0), name: name, domain: try row.identifier(2),
            conditions: Set(try row.text(3).split(separator: " ").compactMap { AlertCondition(rawValue: String($0)) }),
            severity: try row.integerIfAny(4).flatMap(AlertSeverity.init(rawValue:)), wait: try row.integer(5),
            tellsBack: try row.bool(6), receivers: receivers.compactMap(AlertReceiver.init(stored:)),
            isActive: try row.bool(8), created: try row.timestamp(9), changed: try row.timestamp(10))
    }
}
