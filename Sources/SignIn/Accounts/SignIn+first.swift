public import Access
import Audit
public import Base
import Storage

/// The first administrator of a new server, and the organisation that they begin with.
public struct FirstAdministrator: Sendable {
    /// The e-mail address.
    public let address: String
    /// The person's name; what stands before the @ when nil.
    public let name: String?
    /// The password.
    public let password: String
    /// The organisation's name for people.
    public let organisation: String
    /// The organisation's short name; made from its name when nil.
    public let slug: TenantSlug?
    /// The organisation's time zone by its name.
    public let timeZone: String?

    /// An administrator with these traits.
    public init(
        address: String, name: String? = nil, password: String, organisation: String, slug: TenantSlug? = nil,
        timeZone: String? = nil
    ) {
        self.address = address
        self.name = name
        self.password = password
        self.organisation = organisation
        self.slug = slug
        self.timeZone = timeZone
    }
}

extension SignIn {
    /// Whether nobody can sign in yet.
    public func isNew() async throws -> Bool {
        try await database.platform.read { try !AccountRow.isAnyActive(in: $0) }
    }

    /// Makes the link to the first administrator's page, when nobody can sign in yet; the one before counts no longer.
    public func setUpLink(by principal: Principal) async throws -> NewLink {
        try await database.platform.write { tx in
            try access.authorize(principal, .platformManage, tenant: .platform, in: tx)
            try requireNew(in: tx)
            let link = try makeLink(.setUp, owner: .platform, principal: nil, in: tx)
            try access.record(
                .linkMade, .platform, by: principal, "account", "first",
                details: ["purpose": .string(LinkPurpose.setUp.rawValue), "mailed": false], in: tx)
            return link
        }
    }

    /// Makes the first administrator by the set-up link, and signs them in.
    public func setUp(_ secret: String, _ first: FirstAdministrator, from origin: Origin) async throws -> Step {
        guard try await link(secret, realm: origin.realm).purpose == .setUp else { throw Self.linkInvalid }
        let account = try await make(first, from: origin) { tx in _ = try use(secret, for: .setUp, in: tx) }
        return try await database.platform.write { tx in
            try next(account, satisfied: [], pending: nil, from: origin, in: tx)
        }
    }

    /// Makes the first administrator without a link, for installations without a person: what the server's own
    /// configuration says. False when somebody can sign in already.
    public func setUp(_ first: FirstAdministrator) async throws -> Bool {
        guard try await isNew() else { return false }
        _ = try await make(first, from: Origin(address: nil)) { tx in
            try endLinks(.setUp, owner: .platform, principal: nil, in: tx)
        }
        return true
    }

    private func make(
        _ first: FirstAdministrator, from origin: Origin, _ act: @escaping @Sendable (Transaction) throws -> Void
    ) async throws -> Account {
        let address = try Self.address(first.address)
        let name = try Access.displayName(first.name ?? String(address.local), at: "/name")
        let organisation = try Access.displayName(first.organisation, at: "/organisation")
        let slug = try first.slug ?? Self.slug(organisation)
        guard slug != .platform else {
            throw Refusal(
                .invalid, "tenant.slug", "The organisation can not be called \(slug).",
                faults: [.init(place: "/organisation", message: "is taken by the server itself")])
        }
        let words = [address.text, name, slug.text, organisation]
        let rules = PasswordRules(profile: .nist, context: PasswordContext(words: words))
        let text = try await hashing.hash(try rules.require(first.password))
        // A tenant that the operator has made before is taken up; the link proves that it is theirs to give away.
        if access.directory.tenant(slug) == nil {
            try await database.platform.write { tx -> Void in
                try requireNew(in: tx)
                _ = try access.createTenant(
                    slug, name: organisation, timeZone: first.timeZone, by: .localAdministrator, in: tx)
            }
        }
        guard let tenant = access.directory.tenant(slug), tenant.status == .active else {
            throw Access.unknown("tenant")
        }
        if let zone = first.timeZone, tenant.timeZone == nil {
            _ = try await access.changeTenant(slug, timeZone: zone, by: .localAdministrator)
        }
        return try await database.platform.write { tx in
            try act(tx)
            try requireNew(in: tx)
            let account = try makeAccount(
                address, name: name, status: .active, role: Self.firstRole, at: tenant.rootDomain, tenant: tenant.id,
                by: .localAdministrator, in: tx)
            try setPassword(text, of: account, except: nil, from: origin, in: tx)
            try record(.accountActivated, by: account, from: origin, in: tx)
            return account
        }
    }

    private func requireNew(in tx: Transaction) throws {
        guard try !AccountRow.isAnyActive(in: tx) else {
            throw Refusal(
                .conflict, "setup.done",
                "This server is set up: somebody can sign in. `tidegate admin user` invites others and makes links to "
                    + "new passwords.")
        }
    }

    /// What the first administrator may do: everything in their organisation.
    private static let firstRole = Role.builtIn.first { $0.name.text == "owner" } ?? .admin

    /// A short name made from a name for people.
    static func slug(_ name: String) throws -> TenantSlug {
        let plain = name.lowercased().map { character -> Character in
            character.isASCII && (character.isLetter || character.isNumber) ? character : "-"
        }
        let text = String(plain).split(separator: "-").joined(separator: "-").prefix(63)
        guard let slug = TenantSlug(text.hasSuffix("-") ? text.dropLast() : text) else {
            throw Refusal(
                .invalid, "tenant.slug", "The organisation needs a short name of a-z, 0-9 and dashes.",
                faults: [.init(place: "/slug", message: "is missing, and can not be made from the name")])
        }
        return slug
    }
}
