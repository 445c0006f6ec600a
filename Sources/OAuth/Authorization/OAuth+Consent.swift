public import Access
import Audit
public import Base
import Storage
import Trust

extension OAuth {
    /// Lets the program act for the person, and answers the address to send their browser to.
    ///
    /// `query` is read again, so that what is let in is what was shown; only somebody who has signed in can do this.
    public func approve(_ query: String, by person: Principal, signedIn: Timestamp? = nil) async throws -> String {
        guard case .ask(let question) = try await question(query) else {
            throw OAuthError(.invalidRequest, "The request can not be met.")
        }
        try requirePerson(person, for: question.client)
        let code = Token.make(kind: "code")
        let now = clock.now
        try await database.platform.write { tx in
            try requireLive(person, in: tx)
            try requireProof(person, for: question.scope, in: tx)
            try tx.scoped(to: person.tenant).execute(
                """
                INSERT INTO oauth_code (owner, hash, client, principal, redirect, challenge, scope, nonce, signed_in,
                    expires)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                """, code.hash, question.client.id, person.id, question.redirect.text, question.challenge,
                question.scope.text, question.nonce, signedIn ?? now, now + OAuthLimits.codeLife)
            try recordConsent(.consentGiven, person, question.client, question.scope, in: tx)
        }
        return question.redirect.adding(["code": code.text, "state": question.state, "iss": issuer.name])
    }

    /// Refuses to let the program in, and answers the address to send the browser to.
    public func refuse(_ query: String, by person: Principal) async throws -> String {
        guard case .ask(let question) = try await question(query) else {
            throw OAuthError(.invalidRequest, "The request can not be met.")
        }
        try requirePerson(person, for: question.client)
        try await database.platform.write { tx in
            try recordConsent(.consentRefused, person, question.client, question.scope, in: tx)
        }
        return question.redirect.adding([
            "error": OAuthError.Code.accessDenied.rawValue, "state": question.state, "iss": issuer.name,
        ])
    }

    /// Refuses anybody but a person with a session of their own, in the client's tenant: what a program holds must not
    /// let other programs in.
    func requirePerson(_ person: Principal, for client: Client) throws {
        guard person.kind == .user, person.credential?.kind == .session, person.credential?.permissions == nil else {
            throw Refusal(.forbidden, "oauth.person", "Only a person who has signed in can let a program in.")
        }
        guard client.tenant == nil || client.tenant == person.tenant else { throw Access.unknown("client") }
    }

    /// Refuses a person whose account was disabled or whose session has ended since they were let in here.
    func requireLive(_ person: Principal, in tx: Transaction) throws {
        let holder = try access.findPrincipal(person.id.text, in: tx.scoped(to: person.tenant))
        guard holder.isActive, let id = person.credential?.id,
            let session = try access.credential(id, of: person.tenant, in: tx), session.revoked == nil
        else { throw Refusal(.unauthenticated, "session.invalid", "The session has ended. Sign in again.") }
    }

    /// Refuses to let a program administer for a person who has not proved themselves a short while ago.
    func requireProof(_ person: Principal, for scope: Scope, in tx: Transaction) throws {
        guard scope.permissions?.contains(where: \.isAdministrative) ?? true else { return }
        try access.proof.require(person, for: .credentials, in: tx)
    }

    func recordConsent(
        _ code: AuditCode, _ person: Principal, _ client: Client, _ scope: Scope, in tx: Transaction
    ) throws {
        try access.record(
            code, person.tenant, by: person, "client", client.id,
            details: ["name": .string(client.name), "scope": .string(scope.text)], in: tx)
    }
}
