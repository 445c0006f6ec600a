import Base
import Storage

/// Tenants between their table and memory.
enum TenantRow {
    private static let columns = "id, slug, name, status, plan, root_domain, created, demo, time_zone"

    static func all(in tx: Transaction) throws -> [Tenant] {
        try tx.rows("SELECT \(columns) FROM tenant ORDER BY slug").map(read)
    }

    static func find(_ slug: TenantSlug, in tx: Transaction) throws -> Tenant? {
        try tx.row("SELECT \(columns) FROM tenant WHERE slug = $1", slug).map(read)
    }

    static func find(_ id: TenantID, in tx: Transaction) throws -> Tenant? {
        try tx.row("SELECT \(columns) FROM tenant WHERE id = $1", id).map(read)
    }

    static func page(after slug: String, limit: Int, in tx: Transaction) throws -> [Tenant] {
        try tx.rows("SELECT \(columns) FROM tenant WHERE slug > $1 ORDER BY slug LIMIT $2", slug, limit).map(read)
    }

    static func insert(_ tenant: Tenant, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO tenant (\(columns)) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", tenant.id, tenant.slug,
            tenant.name, tenant.status.rawValue, tenant.plan, tenant.rootDomain, tenant.created, tenant.demo,
            tenant.timeZone?.text)
    }

    static func update(_ tenant: Tenant, in tx: Transaction) throws {
        try tx.execute(
            "UPDATE tenant SET name = $2, status = $3, plan = $4, time_zone = $5 WHERE id = $1", tenant.id, tenant.name,
            tenant.status.rawValue, tenant.plan, tenant.timeZone?.text)
    }

    private static func read(_ row: Row) throws -> Tenant {
        guard let slug = TenantSlug(try row.text(1)), let status = Tenant.Status(rawValue: try row.text(3)) else {
            throw StorageError(.corrupt, "a tenant's row is not readable")
        }
        return Tenant(
            id: try row.identifier(0), slug: slug, name: try row.text(2), status: status, plan: try row.identifier(4),
            rootDomain: try row.identifier(5), created: try row.timestamp(6), demo: try row.bool(7),
            timeZone: try row.textIfAny(8).flatMap { TimeZoneName($0) })
    }
}

/// Plans between their table and memory; the figures are one line of `name=value` pairs, so a new figure needs no
/// migration and has its default in older rows.
enum PlanRow {
    static func all(in tx: Transaction) throws -> [Plan] {
        try tx.rows("SELECT id, name, figures FROM plan ORDER BY name").map(read)
    }

    static func find(_ name: Name, in tx: Transaction) throws -> Plan? {
        try tx.row("SELECT id, name, figures FROM plan WHERE name = $1", name).map(read)
    }

    static func insert(_ plan: Plan, in tx: Transaction) throws {
        try tx.execute(
            """
            INSERT INTO plan (id, name, figures) VALUES ($1, $2, $3)
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, figures = excluded.figures
            """, plan.id, plan.name, figures(of: plan))
    }

    private static func figures(of plan: Plan) -> String {
        Plan.figures.map { "\($0.name)=\(plan[keyPath: $0.value])" }.joined(separator: " ")
    }

    private static func read(_ row: Row) throws -> Plan {
        guard let name = Name(try row.text(1)) else { throw StorageError(.corrupt, "a plan's row is not readable") }
        var plan = Plan(id: try row.identifier(0), name: name)
        for pair in try row.text(2).split(separator: " ") {
            let parts = pair.split(separator: "=")
            guard parts.count == 2, let value = Int(parts[1]),
                let figure = Plan.figures.first(where: { $0.name == parts[0] })
            else { continue }
            plan[keyPath: figure.value] = value
        }
        return plan
    }
}
