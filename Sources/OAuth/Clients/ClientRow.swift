import Base
import Storage
import Trust

/// Clients between their table and memory.
enum ClientRow {
    static let columns =
        "id, owner, principal, name, method, flows, redirects, scope, secret, public_keys, certificate, created"

    static func read(_ row: Row) throws -> Client {
        let id: ClientID = try row.identifier(0)
        guard let method = Client.Method(rawValue: try row.text(4)) else { throw broken(id) }
        let keys = try row.textIfAny(9).map { text in
            guard let json = try? JSONValue(parsing: Array(text.utf8)) else { throw broken(id) }
            return json
        }
        return Client(
            id: id.text, tenant: try row.identifier(1), principal: try row.identifierIfAny(2), name: try row.text(3),
            method: method, flows: Set(try words(row.text(5)).compactMap(Client.Flow.init(rawValue:))),
            redirects: try words(row.text(6)).compactMap { RedirectURI($0) },
            permissions: Scope(stored: try row.text(7)).permissions, keys: keys,
            certificate: try row.blobIfAny(10).flatMap { Fingerprint(bytes: $0) }, created: try row.timestamp(11),
            secretHash: try row.blobIfAny(8))
    }

    static func insert(_ client: Client, id: ClientID, owner: TenantID, in tx: Transaction) throws {
        try tx.scoped(to: owner).execute(
            """
            INSERT INTO oauth_client (owner, id, principal, name, method, flows, redirects, scope, secret, public_keys,
                certificate, created)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            """, id, client.principal, client.name, client.method.rawValue,
            client.flows.map(\.rawValue).sorted().joined(separator: " "),
            client.redirects.map(\.text).joined(separator: " "), Scope(client.permissions).text, client.secretHash,
            client.keys?.canonical, client.certificate?.bytes, client.created)
    }

    private static func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

    private static func broken(_ id: ClientID) -> StorageError {
        StorageError(.corrupt, "the row of OAuth client \(id) is not readable")
    }
}
