public import Access
import Audit
public import Base
import Storage
import Trust

extension OAuth {
    /// Registers a client; its secret, when it has one, is not kept.
    public func createClient(
        _ draft: ClientDraft, tenant: TenantID, by principal: Principal
    ) async throws -> (client: Client, secret: String?) {
        let id = ClientID(now: clock.now)
        let secret = draft.method == .secret ? Token.make(kind: "client") : nil
        let redirects = try Self.check(draft)
        return try await database.tenant(tenant).write { tx in
            let place = try access.domain(draft.domain, tenant: tenant, in: tx)
            try access.authorize(principal, .principalManage, tenant: tenant, domain: place, in: tx)
            // People of the whole tenant are asked to let such a client in.
            if draft.flows != [.itself] { try access.authorize(principal, .principalManage, tenant: tenant, in: tx) }
            try access.requireOwn(principal, of: tenant)
            try access.proof.require(principal, for: .credentials, in: tx)
            let count =
                try tx.row("SELECT count(*) FROM oauth_client WHERE owner = $1 AND ended IS NULL")?.int(0) ?? 0
            guard count < OAuthLimits.clients else {
                throw Refusal(.limited, "client.tooMany", "A tenant has at most \(OAuthLimits.clients) clients.")
            }
            var holder: PrincipalID?
            if draft.flows.contains(.itself) {
                let role = try access.role(draft.role ?? "", tenant: tenant, in: tx)
                guard let name = Name("oauth-\(id.text)") else { throw Access.unknown("principal") }
                let made = try access.makePrincipal(name, kind: .client, tenant: tenant, by: principal, in: tx)
                _ = try access.makeGrant(
                    role, to: made.id, at: place, expires: nil, reason: draft.reason, tenant: tenant, by: principal,
                    in: tx)
                holder = made.id
            }
            let client = Client(
                id: id.text, tenant: tenant, principal: holder, name: draft.name, method: draft.method,
                flows: draft.flows, redirects: redirects, permissions: draft.permissions, keys: draft.keys,
                certificate: draft.certificate, created: clock.now, secretHash: secret?.hash)
            try ClientRow.insert(client, id: id, owner: tenant, in: tx)
            try access.record(
                .clientCreated, tenant, by: principal, "client", id.text, domain: place,
                details: [
                    "name": .string(client.name), "method": .string(client.method.rawValue),
                    "flows": .array(client.flows.map(\.rawValue).sorted().map { .string($0) }),
                    "scope": .string(Scope(client.permissions).text),
                ], in: tx)
            return (client, secret?.text)
        }
    }

    /// Refuses a draft that could not work or would be unsafe, with every wrong place.
    private static func check(_ draft: ClientDraft) throws -> [RedirectURI] {
        var faults: [Refusal.Fault] = []
        func fault(_ place: String, _ message: String) { faults.append(.init(place: place, message: message)) }
        do throws(Refusal) {
            _ = try Access.displayName(draft.name, at: "/name")
        } catch {
            faults += error.faults
        }
        if draft.name.lowercased() == Client.commandLine.name.lowercased() {
            fault("/name", "is the name of our own program: people would take the client for it")
        }
        if draft.flows.isEmpty { fault("/flows", "must name one at least") }
        if draft.flows.contains(.itself) {
            if draft.method == .none { fault("/method", "none proves nothing: a client with rights needs a proof") }
            if draft.role == nil { fault("/role", "is missing: what may the client do itself?") }
        } else if draft.role != nil {
            fault("/role", "can only be there when flows has itself")
        }
        var redirects: [RedirectURI] = []
        for (index, text) in draft.redirects.enumerated() {
            if let redirect = RedirectURI(text) {
                redirects.append(redirect)
            } else {
                fault(
                    "/redirects/\(index)",
                    "must be https, http on 127.0.0.1 or [::1], or a scheme of your own such as com.example.app:/path")
            }
        }
        if draft.flows.contains(.code) != !draft.redirects.isEmpty {
            fault("/redirects", "belong to the flow code: there must be one at least with it, and none without")
        }
        if draft.redirects.count > OAuthLimits.redirects { fault("/redirects", "are too many") }
        if (draft.method == .key) != (draft.keys != nil) { fault("/keys", "belong to the method key") }
        if (draft.method == .certificate) != (draft.certificate != nil) {
            fault("/certificate", "belongs to the method certificate")
        }
        if let keys = draft.keys {
            if keys.canonical.utf8.count > OAuthLimits.clientKeyBytes { fault("/keys", "are too large") }
            if case .array(let entries) = keys["keys"], entries.contains(where: JSONWebKey.isSecret) {
                fault("/keys", "hold a private key: keep it, make another and send its public half")
            } else if JSONWebKeySet(keys)?.keys.isEmpty ?? true {
                fault("/keys", "must be a JSON Web Key Set with a P-256, P-384, Ed25519 or RSA key")
            }
        }
        guard faults.isEmpty else {
            throw Refusal(.invalid, "client.invalid", "The client can not be registered so.", faults: faults)
        }
        return redirects
    }

    /// The clients of a tenant in the order of their making, after `id`.
    public func clients(
        tenant: TenantID, after id: ClientID? = nil, limit: Int = 100, by principal: Principal
    ) async throws -> [Client] {
        try await database.tenant(tenant).read { tx in
            try access.authorize(principal, .principalRead, tenant: tenant, in: tx)
            return try tx.rows(
                """
                SELECT \(ClientRow.columns) FROM oauth_client
                WHERE owner = $1 AND ended IS NULL AND id > $2 ORDER BY id LIMIT $3
                """, id?.bytes ?? [], min(max(limit, 1), OAuthLimits.page)
            ).map(ClientRow.read)
        }
    }

    /// One client of a tenant.
    public func client(_ id: ClientID, tenant: TenantID, by principal: Principal) async throws -> Client {
        try await database.tenant(tenant).read { tx in
            try access.authorize(principal, .principalRead, tenant: tenant, in: tx)
            let row = try tx.row(
                "SELECT \(ClientRow.columns) FROM oauth_client WHERE owner = $1 AND id = $2 AND ended IS NULL", id)
            guard let row else { throw Access.unknown("client") }
            return try ClientRow.read(row)
        }
    }

    /// Gives a client a new secret; the old one is refused from then on, the tokens that it has go on. Only for who holds
    /// all that the client holds, since the secret is a way to it.
    public func replaceSecret(_ id: ClientID, tenant: TenantID, by principal: Principal) async throws -> String {
        let secret = Token.make(kind: "client")
        return try await database.tenant(tenant).write { tx in
            try access.authorize(principal, .principalManage, tenant: tenant, in: tx)
            try access.requireOwn(principal, of: tenant)
            try access.proof.require(principal, for: .credentials, in: tx)
            let changed = try tx.row(
                """
                UPDATE oauth_client SET secret = $3
                WHERE owner = $1 AND id = $2 AND ended IS NULL AND method = 'secret' RETURNING principal
                """, id, secret.hash)
            guard let changed else { throw Access.unknown("client") }
            if let holder: PrincipalID = try changed.identifierIfAny(0) {
                try access.requireCovering(holder, tenant: tenant, by: principal, in: tx)
            }
            try access.record(.clientSecretReplaced, tenant, by: principal, "client", id.text, in: tx)
            return secret.text
        }
    }

    /// Ends a client with all tokens that it has.
    public func endClient(_ id: ClientID, tenant: TenantID, by principal: Principal) async throws {
        try await database.tenant(tenant).write { tx in
            try access.authorize(principal, .principalManage, tenant: tenant, in: tx)
            let row = try tx.row(
                """
                UPDATE oauth_client SET ended = $3 WHERE owner = $1 AND id = $2 AND ended IS NULL
                RETURNING principal
                """, id, clock.now)
            guard let row else { throw Access.unknown("client") }
            if let holder: PrincipalID = try row.identifierIfAny(0) {
                try tx.execute("UPDATE principal SET active = 0 WHERE tenant = $1 AND id = $2", holder)
            }
            for family in try tx.rows(
                "SELECT id FROM oauth_family WHERE owner = $1 AND client = $2 AND ended IS NULL", id.text)
            {
                try end(family: family.identifier(0), of: tenant, in: tx)
            }
            try access.record(.clientEnded, tenant, by: principal, "client", id.text, in: tx)
        }
    }

    /// The client of this identifier, when it counts now.
    func findClient(_ text: String, in tx: Transaction) throws -> Client? {
        if text == Client.commandLine.id { return .commandLine }
        guard let id = ClientID(text: text) else { return nil }
        let row = try tx.row("SELECT \(ClientRow.columns) FROM oauth_client WHERE id = $1 AND ended IS NULL", id)
        guard let client = try row.map(ClientRow.read), let tenant = client.tenant,
            access.directory.tenant(tenant)?.status == .active
        else { return nil }
        return client
    }
}
