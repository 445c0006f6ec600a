public import Access
import Audit
public import Base
package import Storage

extension ChangeKind {
    /// The rules of sign-in.
    static let signInPolicy = ChangeKind("signin.policy")
}

extension SignIn {
    /// A tenant's rules for signing in.
    public func policy(tenant: TenantID, by principal: Principal) async throws -> SignInPolicy {
        try await database.tenant(tenant).read { tx in
            try access.authorize(principal, .principalRead, tenant: tenant, in: tx)
            return try policy(of: tenant, in: tx)
        }
    }

    /// Changes a tenant's rules for signing in; they hold from the next request on. Refuses an allow-list that would
    /// lock its editor out.
    public func putPolicy(
        _ policy: SignInPolicy, reason: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws {
        try await database.tenant(tenant).write { tx in
            try putPolicy(policy, authority: .own(reason: reason), tenant: tenant, by: principal, in: tx)
        }
    }

    private func putPolicy(
        _ policy: SignInPolicy, authority: Authority, tenant: TenantID, by principal: Principal, in tx: Transaction
    ) throws {
        try access.authorize(principal, .principalManage, tenant: tenant, in: tx)
        var faults: [Refusal.Fault] = []
        if !SignInPolicy.idleRange.contains(policy.idleMinutes) {
            faults.append(.init(place: "/idleMinutes", message: "must be \(Self.words(SignInPolicy.idleRange))"))
        }
        if !SignInPolicy.hoursRange.contains(policy.sessionHours) {
            faults.append(.init(place: "/sessionHours", message: "must be \(Self.words(SignInPolicy.hoursRange))"))
        }
        guard faults.isEmpty else {
            throw Refusal(.invalid, "policy.invalid", "The rules of sign-in are out of range.", faults: faults)
        }
        try access.requireOwn(principal, of: tenant)
        if principal.tenant == tenant { try Self.requireInside(policy.addressRanges, principal) }
        try requireRecent(principal, for: .signInPolicy, in: tx)
        try access.require(authority, of: .signInPolicy, tenant: tenant, by: principal, in: tx)
        let ranges = AddressRanges.text(policy.addressRanges)
        try tx.scoped(to: tenant).execute(
            """
            INSERT INTO sign_in_policy (tenant, profile, idle_minutes, session_hours, address_ranges)
            VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (tenant) DO UPDATE SET profile = excluded.profile, idle_minutes = excluded.idle_minutes,
                session_hours = excluded.session_hours, address_ranges = excluded.address_ranges
            """, policy.profile.rawValue, policy.idleMinutes, policy.sessionHours, ranges)
        try access.record(
            .signInPolicyChanged, tenant, by: principal, "tenant", tenant.text,
            details: authority.told([
                "profile": .string(policy.profile.rawValue), "idleMinutes": .integer(Int64(policy.idleMinutes)),
                "sessionHours": .integer(Int64(policy.sessionHours)), "addresses": .string(ranges),
            ]), in: tx)
    }

    /// Lets changes of the rules be proposed; what a proposal leaves out stays as it is when it is made.
    func addApprovals() {
        access.approvals.add(
            .signInPolicy,
            present: { [self] _, tenant, tx in
                let policy = try policy(of: tenant, in: tx)
                return [
                    "profile": .string(policy.profile.rawValue), "idleMinutes": .integer(Int64(policy.idleMinutes)),
                    "sessionHours": .integer(Int64(policy.sessionHours)),
                    "addresses": .array(policy.addressRanges.map { .string($0.description) }),
                ]
            }
        ) { [self] change, authority, tenant, principal, tx in
            var policy = try policy(of: tenant, in: tx)
            if let profile = change["profile"] {
                guard let known = profile.string.flatMap(PasswordProfile.init(rawValue:)) else {
                    throw Access.unreadable("profile")
                }
                policy.profile = known
            }
            func minutes(_ name: String) throws -> Int? {
                guard let value = change[name] else { return nil }
                guard case .integer(let number) = value else { throw Access.unreadable(name) }
                return Int(clamping: number)
            }
            if let idle = try minutes("idleMinutes") { policy.idleMinutes = idle }
            if let hours = try minutes("sessionHours") { policy.sessionHours = hours }
            if let addresses = change["addresses"] {
                guard case .array(let texts) = addresses else { throw Access.unreadable("addresses") }
                policy.addressRanges = try AddressRanges.parse(
                    texts.map { $0.string ?? "" }, at: "/change/addresses")
            }
            try putPolicy(policy, authority: authority, tenant: tenant, by: principal, in: tx)
        }
    }

    /// The rules in the caller's transaction.
    package func policy(of tenant: TenantID, in tx: Transaction) throws -> SignInPolicy {
        let row = try tx.scoped(to: tenant).row(
            """
            SELECT profile, idle_minutes, session_hours, address_ranges FROM sign_in_policy WHERE tenant = $1
            """)
        guard let row else { return .standard }
        guard let profile = PasswordProfile(rawValue: try row.text(0)) else {
            throw StorageError(.corrupt, "a sign-in policy is not readable")
        }
        return SignInPolicy(
            profile: profile, idleMinutes: try row.int(1), sessionHours: try row.int(2),
            addressRanges: try AddressRanges.read(try row.text(3)))
    }

    /// Refuses an allow-list that does not hold the editor's own address. Who has none is on the server itself.
    static func requireInside(_ ranges: [AddressRange], _ principal: Principal) throws {
        guard let address = principal.address, !AddressRanges.admit(address, ranges) else { return }
        throw Refusal(
            .conflict, "addresses.excludesYou",
            "This list would lock you out: your address is \(address). Add a range that holds it.")
    }

    private static func words(_ range: ClosedRange<Int>) -> String {
        "a whole number from \(range.lowerBound) to \(range.upperBound)"
    }
}
