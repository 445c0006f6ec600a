public import Access
public import Base
import Storage

extension ChangeKind {
    /// What factors are demanded.
    static let factorPolicy = ChangeKind("factor.policy")
}

extension Factors {
    /// What factors a tenant demands.
    public func policy(tenant: TenantID, by principal: Principal) async throws -> FactorPolicy {
        try await database.tenant(tenant).read { tx in
            try signIn.access.authorize(principal, .principalRead, tenant: tenant, in: tx)
            return try policy(of: tenant, in: tx)
        }
    }

    /// Demands this level of a role's holders, or of everybody when none is named. Sessions that were opened with less end
    /// at their next request; who lacks a factor that is enough sets one up at the next sign-in.
    public func demand(
        _ level: FactorLevel, of role: String? = nil, reason: String, tenant: TenantID, by principal: Principal
    ) async throws -> FactorPolicy {
        let reason = try Self.checked(reason)
        return try await database.tenant(tenant).write { tx in
            try demand(level, of: role, authority: .own(reason: reason), tenant: tenant, by: principal, in: tx)
        }
    }

    private func demand(
        _ level: FactorLevel, of role: String?, authority: Authority, tenant: TenantID, by principal: Principal,
        in tx: Transaction
    ) throws -> FactorPolicy {
        try signIn.access.authorize(principal, .principalManage, tenant: tenant, in: tx)
        try signIn.access.requireOwn(principal, of: tenant)
        try signIn.requireRecent(principal, for: .signInPolicy, in: tx)
        let found = try role.map { try signIn.access.role($0, tenant: tenant, in: tx) }
        try signIn.access.require(authority, of: .factorPolicy, tenant: tenant, by: principal, in: tx)
        try FactorPolicyRow.set(level, role: found?.id ?? FactorPolicyRow.everybody, tenant: tenant, in: tx)
        try signIn.access.record(
            .factorPolicyChanged, tenant, by: principal, found == nil ? "tenant" : "role",
            found?.id.text ?? tenant.text, details: authority.told(["level": .string(level.rawValue)]), in: tx)
        return try policy(of: tenant, in: tx)
    }

    /// Lets demands be proposed as changes.
    func addApprovals() {
        signIn.access.approvals.add(
            .factorPolicy, naming: ["role": .role],
            present: { [self] change, tenant, tx in
                let role = try change["role"]?.string.map { try signIn.access.role($0, tenant: tenant, in: tx).id }
                let policy = try policy(of: tenant, in: tx)
                return ["level": .string((role.map { policy.roles[$0] ?? .none } ?? policy.everybody).rawValue)]
            }
        ) { [self] change, authority, tenant, principal, tx in
            guard let level = change["level"]?.string.flatMap(FactorLevel.init(rawValue:)) else {
                throw Access.unreadable("level")
            }
            _ = try demand(
                level, of: change["role"]?.string, authority: authority, tenant: tenant, by: principal, in: tx)
        }
    }

    private func policy(of tenant: TenantID, in tx: Transaction) throws -> FactorPolicy {
        var policy = FactorPolicy(everybody: .none, roles: [:])
        for (role, level) in try FactorPolicyRow.all(tenant: tenant, in: tx) {
            if role == FactorPolicyRow.everybody { policy.everybody = level } else { policy.roles[role] = level }
        }
        return policy
    }

    /// A reason as it goes into the log.
    static func checked(_ reason: String) throws -> String {
        let isClean = !reason.unicodeScalars.contains { $0.properties.generalCategory == .control }
        guard (1...SignInLimits.reasonCharacters).contains(reason.count), isClean else {
            throw Refusal(
                .invalid, "reason.invalid",
                "Say why, in 1 to \(SignInLimits.reasonCharacters) characters; it goes into the audit log.",
                faults: [.init(place: "/reason", message: "is empty, too long or holds a control character")])
        }
        return reason
    }
}
