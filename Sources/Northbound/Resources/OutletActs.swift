package import Access
package import Base
package import Delivery
package import Storage

extension ChangeKind {
    /// A mail server or SMS gateway is set up, changed or switched.
    static let outletPut = ChangeKind("outlet.put")
    /// A mail server or SMS gateway is deleted, so that another carries what it carried.
    static let outletDelete = ChangeKind("outlet.delete")
}

/// Making, changing and deleting outlets, by the API, by the console and on two people's word alike.
///
/// What carries links and codes takes a reason, and a second approver where the tenant wants one: else one person could
/// be everybody there, the second approver included.
package struct OutletActs: Sendable {
    private let database: Database
    private let access: Access
    private let delivery: Delivery

    /// The acts on these parts.
    package init(database: Database, access: Access, delivery: Delivery) {
        self.database = database
        self.access = access
        self.delivery = delivery
    }

    /// Makes an outlet; answers with the signing secret when it was made here, which is told once and never again.
    package func create(
        _ draft: OutletDraft, reason: String?, tenant: TenantID, by principal: Principal
    ) async throws -> (outlet: Outlet, secret: String?) {
        try await database.tenant(tenant).write { tx in
            try create(draft, .own(reason: reason), tenant, principal, tx)
        }
    }

    /// Changes an outlet, and lets it be tried at once.
    package func change(
        _ reference: String, _ change: OutletChange, reason: String?, tenant: TenantID, by principal: Principal
    ) async throws -> Outlet {
        try await database.tenant(tenant).write { tx in
            try self.change(reference, change, .own(reason: reason), tenant, principal, tx)
        }
    }

    /// Deletes an outlet; what waited for it alone is given up.
    package func delete(
        _ reference: String, reason: String?, tenant: TenantID, by principal: Principal
    ) async throws {
        try await database.tenant(tenant).write { tx in
            try delete(reference, .own(reason: reason), tenant, principal, tx)
        }
    }

    // MARK: - In a transaction

    private func create(
        _ draft: OutletDraft, _ authority: Authority, _ tenant: TenantID, _ principal: Principal, _ tx: Transaction
    ) throws -> (outlet: Outlet, secret: String?) {
        try access.authorizeOutlet(principal, draft.kind, [draft.settings], of: tenant, in: tx)
        if draft.kind.carriesLinks {
            try access.require(authority, of: .outletPut, tenant: tenant, by: principal, in: tx)
        }
        return try delivery.createOutlet(
            draft, told: authority.told([:]), tenant: tenant, by: principal.actor(in: tenant), in: tx)
    }

    private func change(
        _ reference: String, _ change: OutletChange, _ authority: Authority, _ tenant: TenantID,
        _ principal: Principal, _ tx: Transaction
    ) throws -> Outlet {
        try access.authorize(principal, .deliveryManage, tenant: tenant, in: tx)
        let old = try delivery.outlet(reference, in: tx)
        let settings = [old.settings] + (change.settings.map { [$0] } ?? [])
        try access.authorizeOutlet(principal, old.kind, settings, of: tenant, in: tx)
        if old.kind.carriesLinks {
            try access.require(authority, of: .outletPut, tenant: tenant, by: principal, in: tx)
        }
        return try delivery.changeOutlet(
            old.id.text, change, told: authority.told([:]), tenant: tenant, by: principal.actor(in: tenant), in: tx)
    }

    private func delete(
        _ reference: String, _ authority: Authority, _ tenant: TenantID, _ principal: Principal, _ tx: Transaction
    ) throws {
        try access.authorize(principal, .deliveryManage, tenant: tenant, in: tx)
        let old = try delivery.outlet(reference, in: tx)
        try access.authorizeOutlet(principal, old.kind, [], of: tenant, in: tx)
        if old.kind.carriesLinks {
            try access.require(authority, of: .outletDelete, tenant: tenant, by: principal, in: tx)
        }
        try delivery.deleteOutlet(
            old.id.text, told: authority.told([:]), tenant: tenant, by: principal.actor(in: tenant), in: tx)
    }

    // MARK: - On two people's word

    /// Lets what carries links and codes be proposed. A change names an outlet by its identifier, so that no other has its
    /// name by the time when it is approved.
    func addApprovals() {
        access.approvals.add(.outletPut, guarding: Self.guarded) { change, authority, tenant, principal, tx in
            try Self.requireKnown(change, ["outlet", "name", "kind", "settings", "secret", "active"])
            if change["outlet"] != nil {
                guard change["kind"] == nil else { throw Access.unreadable("kind") }
                _ = try self.change(
                    Self.outlet(change), try OutletChange(proposed: change), authority, tenant, principal, tx)
            } else {
                _ = try create(try OutletDraft(proposed: change), authority, tenant, principal, tx)
            }
        }
        access.approvals.add(.outletDelete) { change, authority, tenant, principal, tx in
            try Self.requireKnown(change, ["outlet"])
            try delete(Self.outlet(change), authority, tenant, principal, tx)
        }
    }

    /// Addresses and header fields may hold keys, so the log and who may not read outlets are told the host alone.
    private static let guarded = GuardedChange(secret: "secret", reader: .deliveryRead) { change in
        guard case .object(var members) = change, let settings = members.removeValue(forKey: "settings") else {
            return change
        }
        members["host"] = Delivery.host(settings).map { .string($0) }
        return .object(members)
    }

    /// Nothing is approved by people who were shown a word that does nothing.
    private static func requireKnown(_ change: JSONValue, _ names: Set<String>) throws {
        guard case .object(let members) = change else { throw Access.unreadable("outlet") }
        if let other = members.keys.sorted().first(where: { !names.contains($0) }) { throw Access.unreadable(other) }
    }

    private static func outlet(_ change: JSONValue) throws -> String {
        guard let text = change["outlet"]?.string, OutletID(text: text) != nil else {
            throw Access.unreadable("outlet")
        }
        return text
    }
}

extension OutletDraft {
    /// The change that proposes this outlet.
    package var change: JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(name.text), "kind": .string(kind.rawValue), "settings": settings,
            "active": .bool(isActive),
        ]
        members["secret"] = secret.map { .string($0) }
        return .object(members)
    }

    fileprivate init(proposed change: JSONValue) throws {
        let parts = try OutletChange(proposed: change)
        guard let name = parts.name else { throw Access.unreadable("name") }
        // A webhook's secret is made and shown to who makes it, and needs nobody else.
        guard let kind = change["kind"]?.string.flatMap(DeliveryKind.init), kind.carriesLinks else {
            throw Access.unreadable("kind")
        }
        guard let settings = parts.settings else { throw Access.unreadable("settings") }
        self.init(
            name: name, kind: kind, settings: settings, secret: parts.secret, isActive: parts.isActive ?? true)
    }
}

extension OutletChange {
    /// The change that proposes this for an outlet.
    package func change(of outlet: OutletID) -> JSONValue {
        var members: [String: JSONValue] = ["outlet": .string(outlet.text)]
        members["name"] = name.map { .string($0.text) }
        members["settings"] = settings
        members["secret"] = secret.map { .string($0) }
        members["active"] = isActive.map { .bool($0) }
        return .object(members)
    }

    fileprivate init(proposed change: JSONValue) throws {
        var (name, isActive): (Name?, Bool?) = (nil, nil)
        if let text = change["name"] {
            guard let read = text.string.flatMap({ Name($0) }) else { throw Access.unreadable("name") }
            name = read
        }
        if let value = change["active"] {
            guard case .bool(let isOn) = value else { throw Access.unreadable("active") }
            isActive = isOn
        }
        if let secret = change["secret"], secret.string == nil { throw Access.unreadable("secret") }
        self.init(name: name, settings: change["settings"], secret: change["secret"]?.string, isActive: isActive)
    }
}
