public import Access
import Audit
public import Base
import Storage

extension Operations {
    /// The release lines of which the tenant is one side, the newest first.
    public func releaseLines(in tenant: TenantID, by principal: Principal) async throws -> [ReleaseLine] {
        try await database.platform.read { transaction in
            try access.authorize(principal, .releaseRead, tenant: tenant, in: transaction)
            return try LineStore.all(of: tenant, in: transaction)
        }
    }

    /// Offers the releases of a component, those to come and the last one, to another tenant.
    public func offerReleaseLine(
        of component: Name, to slug: TenantSlug, in tenant: TenantID, by principal: Principal
    ) async throws -> ReleaseLine {
        try await database.platform.write { transaction in
            try access.authorize(principal, .releaseManage, tenant: tenant, in: transaction)
            try access.authorize(principal, .shareManage, tenant: tenant, in: transaction)
            guard let other = access.directory.tenant(slug), other.status == .active, other.id != tenant else {
                throw Refusal(.notFound, "tenant.unknown", "There is no such tenant to share releases with.")
            }
            let scoped = transaction.scoped(to: tenant)
            guard try LineStore.count(of: tenant, in: scoped) < OperationLimits.releaseLines else {
                throw Refusal(
                    .limited, "releaseLine.tooMany",
                    "A tenant offers at most \(OperationLimits.releaseLines) release lines.")
            }
            guard try !LineStore.isOpen(component.text, to: other.id, in: scoped) else {
                throw Refusal(
                    .conflict, "releaseLine.there", "\(slug) has an offer of the releases of \(component) already.")
            }
            let line = ReleaseLine(
                id: ReleaseLineID(now: clock.now), owner: tenant, taker: other.id, component: component.text,
                status: .offered, offered: clock.now, accepter: nil, arrived: 0, problem: nil)
            try LineStore.insert(line, in: scoped)
            try record(.releaseLineOffered, line, by: principal.actor(in: tenant), in: transaction)
            return line
        }
    }

    /// Accepts an offer in the tenant that it is for: the last release that is published arrives soon, and then each new
    /// one.
    public func acceptReleaseLine(
        _ id: ReleaseLineID, in tenant: TenantID, by principal: Principal
    ) async throws -> ReleaseLine {
        try await answer(id, .accepted, .releaseLineAccepted, in: tenant, by: principal)
    }

    /// Declines an offer in the tenant that it is for.
    public func declineReleaseLine(
        _ id: ReleaseLineID, in tenant: TenantID, by principal: Principal
    ) async throws -> ReleaseLine {
        try await answer(id, .declined, .releaseLineDeclined, in: tenant, by: principal)
    }

    /// Ends a line at once; either side may. What has arrived stays.
    public func endReleaseLine(
        _ id: ReleaseLineID, in tenant: TenantID, by principal: Principal
    ) async throws -> ReleaseLine {
        try await database.platform.write { transaction in
            let line = try line(id, in: tenant, by: principal, transaction)
            guard line.status == .offered || line.status == .accepted else { throw Self.wrongStatus(line) }
            return try move(line, to: .ended, .releaseLineEnded, by: principal.actor(in: tenant), in: transaction)
        }
    }

    private func answer(
        _ id: ReleaseLineID, _ status: ReleaseLine.Status, _ code: AuditCode, in tenant: TenantID,
        by principal: Principal
    ) async throws -> ReleaseLine {
        try await database.platform.write { transaction in
            let line = try line(id, in: tenant, by: principal, transaction)
            guard line.taker == tenant else {
                throw Refusal(
                    .conflict, "releaseLine.side", "Only the tenant that the releases are offered to can answer.")
            }
            guard line.status == .offered else { throw Self.wrongStatus(line) }
            // The last release is wanted; the ones before it are not.
            let before = try ReleaseStore.counterBeforeLast(
                of: line.component, in: transaction.scoped(to: line.owner))
            return try move(
                line, to: status, code, by: principal.actor(in: tenant),
                accepter: status == .accepted ? principal.id : nil, arrived: before, in: transaction)
        }
    }

    /// A line for somebody who may change what the tenant shares and releases.
    private func line(
        _ id: ReleaseLineID, in tenant: TenantID, by principal: Principal, _ transaction: Transaction
    ) throws -> ReleaseLine {
        try access.authorize(principal, .releaseManage, tenant: tenant, in: transaction)
        try access.authorize(principal, .shareManage, tenant: tenant, in: transaction)
        guard let line = try LineStore.find(id, of: tenant, in: transaction) else {
            throw Refusal(.notFound, "releaseLine.unknown", "There is no such release line, or it is not for you.")
        }
        return line
    }

    private func move(
        _ line: ReleaseLine, to status: ReleaseLine.Status, _ code: AuditCode, by actor: Actor,
        accepter: PrincipalID? = nil, arrived: Int64? = nil, in transaction: Transaction
    ) throws -> ReleaseLine {
        try LineStore.answer(
            line, status, accepter: accepter, arrived: arrived ?? line.arrived, in: transaction)
        var moved = line
        moved.status = status
        try record(code, moved, by: actor, in: transaction)
        return moved
    }

    private static func wrongStatus(_ line: ReleaseLine) -> Refusal {
        Refusal(.conflict, "releaseLine.status", "The release line is \(line.status.rawValue) already.")
    }

    /// Both sides can prove what was agreed.
    private func record(
        _ code: AuditCode, _ line: ReleaseLine, by actor: Actor, in transaction: Transaction
    ) throws {
        for tenant in [line.owner, line.taker] {
            try audit.record(
                AuditEntry(
                    code, tenant: tenant, actor: actor, object: AuditObject(kind: "releaseLine", id: line.id.text),
                    details: [
                        "component": .string(line.component), "from": slug(line.owner), "to": slug(line.taker),
                    ]), in: transaction)
        }
    }

    func slug(_ tenant: TenantID) -> JSONValue {
        .string(access.directory.tenant(tenant)?.slug.text ?? tenant.text)
    }
}
