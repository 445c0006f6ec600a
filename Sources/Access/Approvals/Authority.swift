import Audit
package import Base
package import Storage

/// A sort of change of security settings, which carries a reason and may need a second approver.
package struct ChangeKind: Sendable, Hashable {
    /// The stable name.
    package let name: String
    /// Whether the tenant's policy can ask for a second approver; what takes rights away never waits for one.
    package let mayNeedSecond: Bool

    /// A sort of change with this name.
    package init(_ name: String, mayNeedSecond: Bool = true) {
        self.name = name
        self.mayNeedSecond = mayNeedSecond
    }

    static let rolePut = ChangeKind("role.put")
    static let roleDelete = ChangeKind("role.delete")
    static let grantPut = ChangeKind("grant.put")
    static let grantEnd = ChangeKind("grant.end", mayNeedSecond: false)
    static let memberPut = ChangeKind("member.put")
    static let approvalPolicy = ChangeKind("approval.policy")
    static let sharePut = ChangeKind("share.put")
    static let shareAccept = ChangeKind("share.accept", mayNeedSecond: false)
}

/// On whose word a change of security settings is made.
package enum Authority: Sendable {
    /// Of the one who makes it, for this reason.
    case own(reason: String?)
    /// Of the one who makes it and of another who proposed it.
    case approved(PendingChangeID, reason: String)
    /// Nobody's: it is tried and rolled back, to see what it would do.
    case trial

    /// The details of the audit's entry, with the reason.
    package func told(_ details: [String: JSONValue]) -> JSONValue {
        var details = details
        switch self {
        case .own(let reason?): details["reason"] = .string(reason)
        case .approved(let id, let reason):
            details["reason"] = .string(reason)
            details["change"] = .string(id.text)
        default: break
        }
        return .object(details)
    }
}

extension Access {
    /// Refuses a change of security settings without a reason, or without a second approver where the tenant wants one.
    ///
    /// The operator at the server's own socket needs neither: a tenant whose administrators are locked out must have a
    /// way back, and what is done there is in the tenant's log.
    package func require(
        _ authority: Authority, of kind: ChangeKind, tenant: TenantID, by principal: Principal, in tx: Transaction
    ) throws {
        guard case .own(let reason) = authority, !principal.isLocalAdministrator else { return }
        _ = try Self.checked(reason)
        guard kind.mayNeedSecond, try needsSecond(tenant, in: tx) else { return }
        // Secrets and links do not wait among changes, where others could read them; roles do.
        let way =
            kind == .grantPut
            ? " An account, key or client is made with a role that administers nothing, and given the other one by "
                + "such a change." : ""
        throw Refusal(
            .conflict, "approval.needed",
            "This tenant wants a second administrator to approve it: propose it as a change of kind \(kind.name)."
                + way)
    }

    /// Refuses to give rights on one's own word without a recent proof. Who proposes and who approves was asked already,
    /// and what is only tried gives nothing.
    func requireProof(_ authority: Authority, by principal: Principal, in tx: Transaction) throws {
        if case .own = authority { try proof.require(principal, for: .rights, in: tx) }
    }

    /// Refuses who could act as two approvers: where a tenant wants a second one, nobody is given a way to act as an
    /// administrator other than themselves.
    package func requireOneApprover(
        _ principal: Principal, insteadOf other: PrincipalID, tenant: TenantID, in tx: Transaction
    ) throws {
        guard !principal.isLocalAdministrator, principal.id != other, try needsSecond(tenant, in: tx) else { return }
        let scoped = tx.scoped(to: tenant)
        let info = try findPrincipal(other.text, in: scoped)
        let held = try given(to: info, tenant: tenant, in: tx)
        guard held.contains(where: { $0.permissions.contains(where: \.isAdministrative) }) else { return }
        throw Refusal(
            .conflict, "approval.ownSecond",
            "This tenant wants a second administrator for what matters, so nobody is shown a link to another "
                + "administrator's account. Set up mail, or let the server's operator make the link.")
    }

    static func checked(_ reason: String?) throws(Refusal) -> String {
        let text = reason?.split(whereSeparator: \.isWhitespace).joined(separator: " ") ?? ""
        guard !text.isEmpty, text.utf8.count <= AccessLimits.reasonBytes else {
            throw Refusal(
                .invalid, "reason.required",
                "A change of security settings needs a reason of at most \(AccessLimits.reasonBytes) bytes, for the audit log.",
                faults: [Refusal.Fault(place: "/reason", message: "must be there, and not too long")])
        }
        return text
    }

    func needsSecond(_ tenant: TenantID, in tx: Transaction) throws -> Bool {
        try tx.scoped(to: tenant).row("SELECT needs_second FROM approval_policy WHERE tenant = $1")?.bool(0) ?? false
    }
}
