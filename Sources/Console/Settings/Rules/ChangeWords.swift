import Access
import Base
import Delivery

/// Says what a proposed change would do, with everything by its name of now, and what became different meanwhile.
struct ChangeWords {
    let review: ChangeReview
    private let change: PendingChange
    private let members: [String: JSONValue]

    /// The names of outlets by their identifiers.
    private let outlets: [String: String]

    init(_ review: ChangeReview, outlets: [String: String] = [:]) {
        self.review = review
        self.outlets = outlets
        change = review.change
        members = if case .object(let members) = review.change.change { members } else { [:] }
    }

    static func mark(_ isNew: Bool) -> [SettingsCell] { isNew ? [.badge(.warning("New since it was proposed"))] : [] }

    // MARK: - What it changes

    var facts: [SettingsRecord.Fact] {
        var facts: [SettingsRecord.Fact] = []
        for (key, value) in members.sorted(by: { $0.key < $1.key }) where key != "id" && value != .null {
            if Self.named.contains(key) {
                facts.append(.init(label(key), .text(change.called(key))))
            } else if key == "settings" {
                facts += OutletForm.facts(value)
            } else if key == "outlet", let id = value.string {
                facts.append(.init(label(key), outlets[id].map { .text($0) } ?? .code(id)))
            } else if key == "kind", let kind = value.string {
                facts.append(.init(label(key), .text(DeliveryKind(rawValue: kind)?.words ?? kind)))
            } else if case .object(let inner) = value {
                for (name, value) in inner.sorted(by: { $0.key < $1.key }) {
                    facts.append(.init("\(label(key)): \(name)", cell(value)))
                }
            } else {
                facts.append(.init(label(key), cell(value)))
            }
            facts += before(key, value)
        }
        for (role, permissions) in review.now.permissions.sorted(by: { $0.key < $1.key }) {
            facts.append(
                .init("The role \(review.now.names[role] ?? role) allows", .tags(permissions, else: "nothing")))
        }
        return facts
    }

    /// What stands there now, where it is not the same.
    private func before(_ key: String, _ value: JSONValue) -> [SettingsRecord.Fact] {
        guard change.status == .proposed, let present = review.now.present[key], present != value else { return [] }
        if case .array(let new) = value, case .array(let old) = present {
            return [
                .init("\(label(key)) that come in", .tags(new.filter { !old.contains($0) }.map(words), else: "none")),
                .init("\(label(key)) that go", .tags(old.filter { !new.contains($0) }.map(words), else: "none")),
            ]
        }
        if case .object(let old) = present {
            return old.filter { value[$0.key] != $0.value }.sorted { $0.key < $1.key }.map {
                .init("\(label(key)): \($0.key) until now", cell($0.value))
            }
        }
        return [.init("\(label(key)) until now", present == .null ? .text("nothing: it is new") : cell(present))]
    }

    private func cell(_ value: JSONValue) -> SettingsCell {
        switch value {
        case .array(let items): .tags(items.map(words), else: "none")
        default: .text(words(value))
        }
    }

    /// A value as people read it; what a group of a directory is worth, in a sentence.
    private func words(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): return Timestamp(rfc3339: text).map { Moment($0).text } ?? text
        case .bool(let isOn): return isOn ? "yes" : "no"
        case .null: return "nothing"
        case .array(let items): return items.isEmpty ? "none" : items.map(words).joined(separator: ", ")
        default: break
        }
        guard let group = value["group"]?.string, let role = value["role"]?.string else { return value.canonical }
        let names = change.names
        let place = value["domain"]?.string.map { names[$0] ?? $0 }
        return "\(group): \(names[role] ?? role)"
            + (place.map { $0 == "/" ? " everywhere" : " at \($0)" } ?? " everywhere")
    }

    // MARK: - What became different

    /// What is not as it was when it was proposed, a sentence each.
    var since: [String] {
        guard let then = review.then else {
            return ["It comes from before names were kept by identifier, and can not be approved: turn it down."]
        }
        var since: [String] = []
        for (text, name) in then.names.sorted(by: { $0.value < $1.value }) where review.now.names[text] != name {
            since.append(
                review.now.names[text].map { "What was called \(name) is called \($0) now." }
                    ?? "\(name) is no more: it can not be approved.")
        }
        if case .object(let old) = then.present {
            for (key, value) in old.sorted(by: { $0.key < $1.key }) where members[key] != nil {
                guard let now = review.now.present[key], now != value else { continue }
                since.append("\(label(key)): was \(words(value)), is \(words(now)) now.")
            }
        }
        for (role, old) in then.permissions.sorted(by: { $0.key < $1.key }) {
            guard let now = review.now.permissions[role], now != old else { continue }
            let (new, gone) = (now.filter { !old.contains($0) }, old.filter { !now.contains($0) })
            since.append(
                "The role \(review.now.names[role] ?? role)"
                    + (new.isEmpty ? "" : " allows \(new.joined(separator: ", ")) as well")
                    + (gone.isEmpty
                        ? "." : (new.isEmpty ? "" : ", and") + " no longer \(gone.joined(separator: ", ")).")
            )
        }
        let (joined, given) = (review.members.count { $0.isNew }, review.gifts.count { $0.isNew })
        if joined > 0 { since.append("\(joined) joined the user group.") }
        if given > 0 { since.append("The user group was given \(given == 1 ? "a role" : "\(given) roles").") }
        return since
    }

    // MARK: - Labels

    private func label(_ key: String) -> String { Self.labels[key] ?? key }

    /// Members whose identifiers have names.
    private static let named: Set<String> = ["principal", "group", "role", "domain", "device", "replaces", "to"]

    private static let labels = [
        "principal": "Who", "group": "User group", "role": "Role", "domain": "Where", "device": "Device",
        "expires": "Until", "replaces": "Instead of", "name": "Name", "permissions": "Permissions",
        "to": "Organisation", "holder": "Whoever there is", "ends": "Ends", "needsSecond": "Second approver",
        "profile": "Rules for passwords", "idleMinutes": "Minutes without use", "sessionHours": "Hours in any case",
        "addresses": "Allowed from", "level": "Factor", "enabled": "In use",
        "createsAccounts": "Gives newcomers accounts", "linksAddresses": "Takes accounts with the same address",
        "groups": "Groups with roles", "openid": "OpenID provider", "ldap": "LDAP server",
        "pem": "Certificate or public key",
        "outlet": "Outlet", "kind": "Kind", "active": "In use", "host": "Host",
    ]
}
