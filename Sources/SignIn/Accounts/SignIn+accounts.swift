public import Access
import Audit
public import Base
package import Storage

/// An account for somebody new, and how they hear of it.
public struct Invitation: Sendable, Hashable {
    /// The account, which waits for its holder.
    public let account: Account
    /// The link to be handed over; nil when it was mailed.
    public let link: NewLink?
}

extension SignIn {
    /// The accounts of a tenant by address, after `address`.
    public func accounts(
        tenant: TenantID, after address: String = "", limit: Int = 100, by principal: Principal
    ) async throws -> [Account] {
        try await database.tenant(tenant).read { tx in
            try access.authorize(principal, .principalRead, tenant: tenant, in: tx)
            return try AccountRow.page(
                after: address, limit: min(max(limit, 1), SignInLimits.page), tenant: tenant, in: tx)
        }
    }

    /// One account, by its address or its principal's name or identifier.
    public func account(_ user: String, tenant: TenantID, by principal: Principal) async throws -> Account {
        try await database.tenant(tenant).read { tx in
            try account(user, tenant: tenant, needs: .principalRead, by: principal, in: tx)
        }
    }

    /// Invites somebody: makes their principal with one role, and a link by which they take up the account. It goes by
    /// mail; without a mail server it is answered, this once.
    public func invite(
        _ addressText: String, name: String? = nil, role: String, at domain: String? = nil, until end: Timestamp? = nil,
        reason: String? = nil, tenant: TenantID, by principal: Principal
    ) async throws -> Invitation {
        let address = try Self.address(addressText)
        let name = try Access.displayName(name ?? String(address.local), at: "/name")
        return try await database.platform.write { tx in
            let place = try access.domain(domain, tenant: tenant, in: tx.scoped(to: tenant))
            // An account counts in the whole tenant, whatever its role does.
            try access.authorize(principal, .principalManage, tenant: tenant, in: tx)
            let account = try makeAccount(
                address, name: name, status: .invited, role: access.role(role, tenant: tenant, in: tx), at: place,
                until: end, reason: reason, tenant: tenant, by: principal, in: tx)
            try access.record(
                .accountInvited, tenant, by: principal, "account", account.principal.text, domain: place,
                details: ["address": .string(address.text), "role": .string(role)], in: tx)
            return Invitation(account: account, link: try hand(.invitation, to: account, by: principal, in: tx))
        }
    }

    /// Makes the link of an invitation anew, or one to a new password for somebody who has lost theirs; the one before
    /// counts no longer. Only for who holds all that the account's holder does.
    public func renewLink(of user: String, tenant: TenantID, by principal: Principal) async throws -> Invitation {
        try await database.platform.write { tx in
            let scoped = tx.scoped(to: tenant)
            let account = try self.account(user, tenant: tenant, needs: .principalManage, by: principal, in: scoped)
            try access.authorize(principal, .principalManage, tenant: tenant, in: tx)
            try access.requireCovering(account.principal, tenant: tenant, by: principal, in: tx)
            try requireRecent(principal, for: .accounts, in: tx)
            guard account.status != .disabled else {
                throw Refusal(.conflict, "account.disabled", "The account is disabled; enable it first.")
            }
            let purpose: LinkPurpose = account.status == .invited ? .invitation : .reset
            return Invitation(account: account, link: try hand(purpose, to: account, by: principal, in: tx))
        }
    }

    /// Changes an account's name, from where it may be used, or asks for a new password at the next sign-in. Refuses an
    /// allow-list that would lock its editor out.
    public func changeAccount(
        _ user: String, name: String? = nil, addressRanges: [AddressRange]? = nil, mustChangePassword: Bool? = nil,
        tenant: TenantID, by principal: Principal
    ) async throws -> Account {
        let name = try name.map { try Access.displayName($0, at: "/name") }
        return try await database.tenant(tenant).write { tx in
            var account = try self.account(user, tenant: tenant, needs: .principalManage, by: principal, in: tx)
            let isOwn = account.principal == principal.id && principal.tenant == tenant
            if addressRanges != nil || mustChangePassword != nil {
                try access.authorize(principal, .principalManage, tenant: tenant, in: tx)
                try requireRecent(principal, for: .accounts, in: tx)
                try access.requireCovering(account.principal, tenant: tenant, by: principal, in: tx)
            }
            if let addressRanges {
                if isOwn { try Self.requireInside(addressRanges, principal) }
                account.addressRanges = addressRanges
            }
            if let name { account.name = name }
            if let mustChangePassword { account.mustChangePassword = mustChangePassword }
            try AccountRow.setTraits(account, in: tx)
            try access.record(
                .accountChanged, tenant, by: principal, "account", account.principal.text,
                details: [
                    "name": .string(account.name), "addresses": .string(AddressRanges.text(account.addressRanges)),
                    "mustChangePassword": .bool(account.mustChangePassword),
                ], in: tx)
            return account
        }
    }

    /// Disables an account, whose sessions end at once, or enables it again; see ``Access/setActive(_:principal:tenant:by:)``.
    public func setActive(
        _ isActive: Bool, user: String, tenant: TenantID, by principal: Principal
    ) async throws -> Account {
        let found = try await database.tenant(tenant).read { tx in
            try self.account(user, tenant: tenant, needs: .principalManage, by: principal, in: tx)
        }
        _ = try await access.setActive(isActive, principal: found.principal.text, tenant: tenant, by: principal)
        return try await account(found.principal.text, tenant: tenant, by: principal)
    }

    /// An account that the caller may deal with: their own, or with the permission anybody's.
    package func account(
        _ user: String, tenant: TenantID, needs permission: Permission, by principal: Principal, in tx: Transaction
    ) throws -> Account {
        let stored: AccountRow.Stored?
        if user.contains("@") {
            stored = try AccountRow.find(user.lowercased(), tenant: tenant, in: tx)
        } else if let id = PrincipalID(text: user) {
            stored = try AccountRow.find(id, tenant: tenant, in: tx)
        } else {
            let named = try tx.scoped(to: tenant).row("SELECT id FROM principal WHERE tenant = $1 AND name = $2", user)
            stored = try named.flatMap { try AccountRow.find(try $0.identifier(0), tenant: tenant, in: tx) }
        }
        let isOwn = stored?.account.principal == principal.id && principal.tenant == tenant
        if !isOwn { try access.authorize(principal, permission, tenant: tenant, in: tx) }
        guard let account = stored?.account else { throw Access.unknown("user") }
        return account
    }

    // MARK: - Inner steps

    /// The principal, its role and its account.
    func makeAccount(
        _ address: MailAddress, name: String, status: Account.Status, role: Role, at domain: DomainID,
        until end: Timestamp? = nil, reason: String? = nil, tenant: TenantID, by principal: Principal,
        in tx: Transaction
    ) throws -> Account {
        guard try AccountRow.find(address.text, tenant: tenant, in: tx) == nil else {
            throw Refusal(.conflict, "account.exists", "There is an account of \(address) already.")
        }
        let made = try access.makePrincipal(
            try principalName(for: address, tenant: tenant, in: tx), kind: .user, tenant: tenant, by: principal, in: tx)
        _ = try access.makeGrant(
            role, to: made.id, at: domain, expires: end, reason: reason, tenant: tenant, by: principal, in: tx)
        let account = Account(
            tenant: tenant, principal: made.id, address: address, name: name, status: status, hasPassword: false,
            mustChangePassword: false, addressRanges: [], created: clock.now, lastSignIn: nil)
        try AccountRow.insert(account, in: tx)
        return account
    }

    /// A free name for a principal, made of what stands before the @.
    private func principalName(for address: MailAddress, tenant: TenantID, in tx: Transaction) throws -> Name {
        let allowed = address.local.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
        let base = String(allowed.drop { !$0.isLetter && !$0.isNumber }.prefix(60))
        for number in 1...100 {
            let text = (base.isEmpty ? "user" : base) + (number == 1 ? "" : "-\(number)")
            let isTaken =
                try tx.scoped(to: tenant).row(
                    "SELECT 1 FROM principal WHERE tenant = $1 AND name = $2", text) != nil
            if !isTaken, let name = Name(text) { return name }
        }
        guard let name = Name("user-\(PrincipalID(now: clock.now).text)") else { throw Access.unknown("user") }
        return name
    }

    /// Makes a link and sends it; answers it when there is no way to send it.
    func hand(
        _ purpose: LinkPurpose, to account: Account, by principal: Principal, in tx: Transaction
    ) throws -> NewLink? {
        let link = try makeLink(purpose, owner: account.tenant, principal: account.principal, in: tx)
        let isMailed = try send(note(purpose, link, to: account), account.tenant, tx)
        // Whoever sees a link can act as its account, for whom it would then be no second approver any more.
        if !isMailed {
            try access.requireOneApprover(principal, insteadOf: account.principal, tenant: account.tenant, in: tx)
        }
        try access.record(
            .linkMade, account.tenant, by: principal, "account", account.principal.text,
            details: ["purpose": .string(purpose.rawValue), "mailed": .bool(isMailed)], in: tx)
        return isMailed ? nil : link
    }

    func note(_ purpose: LinkPurpose, _ link: NewLink, to account: Account) -> OutboundNote {
        let organisation = access.directory.tenant(account.tenant)?.name ?? "Tidegate"
        let (subject, sentence) =
            purpose == .invitation
            ? ("Your account at \(organisation)", "you are invited to \(organisation). Take up your account here:")
            : ("A new password for \(organisation)", "choose a new password for \(organisation) here:")
        return OutboundNote(
            to: account.address, subject: subject,
            text: """
                Hello \(account.name),

                \(sentence)

                \(link.url)

                The link works once, until \(link.expires.rfc3339). If you did not expect it, do nothing.
                """, expires: link.expires)
    }

    static func address(_ text: String) throws -> MailAddress {
        guard let address = MailAddress(text) else {
            throw Refusal(
                .invalid, "account.address", "An account's address is an e-mail address such as ann@example.com.",
                faults: [.init(place: "/address", message: "must be an e-mail address")])
        }
        return address
    }
}
