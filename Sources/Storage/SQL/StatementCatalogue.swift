import Synchronization

/// The analysed statements of one database, the migrations it has seen, and the schema they make.
final class StatementCatalogue: Sendable {
    private struct Entry {
        let statement: SQLStatement
        /// Whether it names a tenant table of the present schema.
        let namesTenantTable: Bool
    }

    private struct State {
        var parts: [MigrationPart] = []
        var schema = Schema()
        var entries: [String: Entry] = [:]
    }

    private let state = Mutex(State())

    /// The schema that the migrations made.
    var schema: Schema { state.withLock { $0.schema } }

    /// The parts that were migrated, in order.
    var parts: [MigrationPart] { state.withLock { $0.parts } }

    /// The parts known so far, with `parts` added or in the place of their earlier form.
    func merged(with parts: [MigrationPart]) -> [MigrationPart] {
        var merged = self.parts
        for part in parts {
            if let index = merged.firstIndex(where: { $0.name == part.name }) {
                merged[index] = part
            } else {
                merged.append(part)
            }
        }
        return merged
    }

    /// Takes the migrated parts and their schema; earlier verdicts no longer count.
    func replace(_ parts: [MigrationPart], _ schema: Schema) {
        state.withLock { $0 = State(parts: parts, schema: schema) }
    }

    /// The analysis of `text`, after judging whether `scope` may run it.
    func statement(_ text: String, in scope: Scope) throws -> SQLStatement {
        let entry = try state.withLock { $0.entries[text] } ?? admit(text)
        guard entry.namesTenantTable else { return entry.statement }
        switch scope {
        case .across: return entry.statement
        case .tenant:
            guard entry.statement.usesFirst else {
                throw StorageError(.misuse, "\(tenantTables(of: entry)): a tenant's statement must use $1, its tenant")
            }
            return entry.statement
        case .platform:
            throw StorageError(
                .misuse,
                "\(tenantTables(of: entry)): the platform reaches a tenant's rows through scoped(to:) or acrossTenants")
        }
    }

    private func admit(_ text: String) throws -> Entry {
        let hasRoom = state.withLock { $0.entries.count < StorageLimits.cachedStatements }
        let statement = try SQLStatement(text, isKept: hasRoom)
        return state.withLock { state in
            let names = !state.schema.tenantTables.isDisjoint(with: statement.tables)
            let entry = Entry(statement: statement, namesTenantTable: names)
            if hasRoom { state.entries[text] = entry }
            return entry
        }
    }

    private func tenantTables(of entry: Entry) -> String {
        let names = schema.tenantTables.intersection(entry.statement.tables).sorted()
        return "tenant table \(names.joined(separator: ", "))"
    }
}
