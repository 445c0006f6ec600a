import Base
import Storage

/// Turns a filter into a condition on the device `d`.
///
/// Presence counts as it was last written, at most a few seconds ago.
struct DeviceFilterSQL {
    /// Finds the identifier of a model, nil when there is none.
    let model: (String) throws -> ModelID?
    /// Finds the identifier of a domain.
    let domain: (String) throws -> DomainID
    /// Whether it is asked of a few devices that the statement names: each is then looked up by itself, while a list of
    /// all is found faster through one set of those that match.
    var isOfFew = false

    func condition(_ expression: DeviceFilter.Expression, _ sql: inout SQLBuilder) throws -> String {
        switch expression {
        case .not(let inner): return "NOT \(try condition(inner, &sql))"
        case .all(let parts): return try join(parts, " AND ", &sql)
        case .any(let parts): return try join(parts, " OR ", &sql)
        case .term(let term): return try condition(term, &sql)
        }
    }

    private func join(
        _ parts: [DeviceFilter.Expression], _ word: String, _ sql: inout SQLBuilder
    ) throws -> String {
        var texts: [String] = []
        for part in parts { texts.append(try condition(part, &sql)) }
        return "(\(texts.joined(separator: word)))"
    }

    private func condition(_ term: DeviceFilter.Term, _ sql: inout SQLBuilder) throws -> String {
        switch term {
        case .name(let name): return "d.name = \(sql.bind(name))"
        case .namePrefix(let prefix):
            // Names are ASCII, so everything that begins with the prefix lies before the prefix and a DEL.
            return "(d.name >= \(sql.bind(prefix)) AND d.name < \(sql.bind(prefix + "\u{7F}")))"
        case .nameContains(let part):
            // The one way to look for a part of a text that both engines have in common.
            return "(replace(lower(d.name), \(sql.bind(part)), '') <> lower(d.name))"
        case .status(let status): return "d.status = \(sql.bind(status.code))"
        case .model(let text):
            // A model that does not exist has no devices.
            guard let id = try model(text) else { return "(1 = 0)" }
            return "(d.model IS NOT NULL AND d.model = \(sql.bind(id)))"
        case .domain(let text): return DomainSubtree.condition(roots: [try domain(text)], &sql)
        case .label(let key, let value?):
            return matches(
                "device_label", "l", "l.key = \(sql.bind(key)) AND l.value = \(sql.bind(value))")
        case .label(let key, nil):
            // No index begins with a device's labels, but the device has them all, in the same form as components.
            guard !isOfFew else { return Self.has(sql.bind(JSONValue.string(key).canonical + ":"), in: "d.labels") }
            return matches("device_label", "l", "l.key = \(sql.bind(key))")
        case .component(let name, let version):
            // The document is canonical, and a quotation mark within a text is escaped: this is found nowhere else.
            let end = version.map { JSONValue.string($0).canonical } ?? ""
            return Self.has(sql.bind(JSONValue.string(name).canonical + ":" + end), in: "d.components")
        case .capability(let capability):
            let bit = sql.bind(Int64(capability.rawValue))
            return "(d.capabilities & \(bit)) = \(bit)"
        case .online: return matches("device_presence", "o", "o.online = 1")
        case .enrolled: return "d.enrolled IS NOT NULL"
        case .drift: return matches("device_document", "w", "w.drift > 0")
        case .heartbeat(.calling):
            let missing = matches("device_heartbeat", "b", "b.state > 0")
            return "(d.status = \(sql.bind(DeviceStatus.active.code)) AND NOT \(missing))"
        case .heartbeat(let state):
            return matches("device_heartbeat", "b", "b.state = \(sql.bind(state.code))")
        case .hardware(let identifier):
            return """
                d.id IN (SELECT h.device FROM hardware_identifier h WHERE h.owner = $1 \
                AND h.kind = \(sql.bind(identifier.kind.rawValue)) AND h.value = \(sql.bind(identifier.value)) \
                AND h.retired IS NULL)
                """
        }
    }

    /// The condition that a table of the tenant's has such a row of the device.
    private func matches(_ table: String, _ row: String, _ condition: String) -> String {
        isOfFew
            ? """
            EXISTS (SELECT 1 FROM \(table) \(row) \
            WHERE \(row).tenant = $1 AND \(condition) AND \(row).device = d.id)
            """
            : "d.id IN (SELECT \(row).device FROM \(table) \(row) WHERE \(row).tenant = $1 AND \(condition))"
    }

    /// The one way to look for a part of a text that both engines have in common.
    private static func has(_ part: String, in document: String) -> String {
        "(replace(\(document), \(part), '') <> \(document))"
    }
}

/// The condition that a device lives in one of several domains or below.
enum DomainSubtree {
    static func condition(roots: [DomainID], _ sql: inout SQLBuilder) -> String {
        guard !roots.isEmpty else { return "(1 = 0)" }
        return "d.domain IN (\(statement(roots: roots, &sql)))"
    }

    /// The domains and all below them.
    static func identifiers(roots: Set<DomainID>, in transaction: Transaction) throws -> Set<DomainID> {
        guard !roots.isEmpty else { return [] }
        var sql = SQLBuilder()
        let statement = statement(roots: Array(roots), &sql)
        return Set(try transaction.rows(statement, arguments: sql.arguments).map { try $0.identifier(0) })
    }

    private static func statement(roots: [DomainID], _ sql: inout SQLBuilder) -> String {
        let list = roots.map { sql.bind($0) }.joined(separator: ", ")
        return """
            WITH RECURSIVE below(id) AS (
                SELECT r.id FROM domain r WHERE r.tenant = $1 AND r.id IN (\(list))
                UNION SELECT c.id FROM domain c JOIN below b ON c.parent = b.id WHERE c.tenant = $1
            ) SELECT below.id FROM below
            """
    }
}
