import Base

/// Where a page of a list ended, as text that callers give back but need not understand.
///
/// It names the list, so that a cursor of one list is not taken for a place in another.
enum Cursor: String {
    case tenants, plans, domains, principals, roles, grants, shares, tokens, clients, models, series, users, sessions,
        directories, outlets, deliveries, groups, groupMembers, reach, moves, changes,
        operations, tasks, campaigns, artifacts, updateKeys, releases, releaseLines,
        alerts, alertRules, edits

    /// The text for the place after `key`.
    func text(_ key: String) -> String { Array("\(rawValue)\n\(key)".utf8).hex }

    /// The key in a text of this list.
    func key(_ text: String) throws -> String {
        guard let bytes = [UInt8](hex: text), let plain = String(validating: bytes, as: UTF8.self),
            plain.hasPrefix(rawValue + "\n")
        else {
            throw Refusal(
                .invalid, "cursor.invalid", "The cursor does not belong to this list; begin again without one.",
                faults: [Refusal.Fault(place: "after", message: "is no cursor of this list")])
        }
        return String(plain.dropFirst(rawValue.count + 1))
    }
}

extension Call {
    /// The key after which the page begins, nil at the beginning.
    func cursor(_ list: Cursor) throws -> String? { try input.query.textIfAny("after").map { try list.key($0) } }

    /// A page of a list that is small enough to be read whole: its elements by keys that do not repeat.
    func page(_ items: [(key: String, json: JSONValue)], _ list: Cursor) throws -> Answer {
        let after = try cursor(list)
        let sorted = items.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        let rest = sorted.drop { item in
            guard let after else { return false }
            return !after.utf8.lexicographicallyPrecedes(item.key.utf8)
        }
        let page = rest.prefix(input.limit)
        let next = page.count < rest.count ? page.last.map { list.text($0.key) } : nil
        return .page(page.map(\.json), next: next)
    }
}
