import Access
public import Base
import Storage

extension Directories {
    /// Signs somebody in with name and password of a directory.
    ///
    /// Whatever is wrong gets the answer that a wrong password gets everywhere, and counts with those.
    public func signIn(
        _ directory: String, of organisation: TenantSlug, user: String, password: String, from origin: Origin
    ) async throws -> Step {
        let attempt = try accounts.throttle.begin(
            "\(organisation.text)/\(directory)/\(user.lowercased())", realm: origin.realm, from: origin)
        guard let found = try await enabled(directory, of: organisation), case .ldap(let settings) = found.means,
            Realm(of: found.tenant) == origin.realm, attempt.isOpen,
            (1...DirectoryLimits.typedBytes).contains(user.utf8.count),
            (1...DirectoryLimits.typedBytes).contains(password.utf8.count), !user.utf8.contains(0),
            !password.utf8.contains(0)
        else {
            noteFailure(nil, origin, "ldap")
            throw SignIn.refused
        }
        let secret = try await database.tenant(found.tenant).read { try self.secret(of: found, in: $0) }
        let person: VouchedPerson?
        do {
            person = try await threads.run { [permits] in
                try Self.ask(settings, secret, user, password, permits: permits)
            }
        } catch let failure as LDAPConnection.Failure {
            accounts.throttle.withdraw(attempt)
            throw Providers.unreadable(failure.words)
        }
        guard let person else {
            noteFailure(found, origin, "ldap")
            throw SignIn.refused
        }
        let step = try await admit(person, by: found, from: origin)
        accounts.throttle.succeed(attempt)
        return step
    }

    /// Asks a directory server whether the password is the person's; nil when it is not.
    private static func ask(
        _ settings: LDAPSettings, _ secret: String?, _ user: String, _ password: String,
        permits: (NetworkAddress) -> Bool
    ) throws -> VouchedPerson? {
        guard let address = LDAPAddress(settings.server) else { return nil }
        let connection = try LDAPConnection(address, authorities: settings.authorities, permits: permits)
        try search(as: settings, secret, connection)
        let filter = LDAPFilter.filled(settings.filter, ["user": user])
        let attributes =
            [settings.nameAttribute, settings.mailAttribute, settings.groupAttribute] + LDAPConnection.Entry.subjects
        let found = try connection.search(settings.base, filter, attributes: attributes, most: 2)
        // Two who could be meant are nobody.
        guard found.count == 1 else {
            // Nobody's password is asked about as well, so that the wait does not tell who is known there.
            _ = try? connection.bind("cn=nobody,\(settings.base)", password: password)
            return nil
        }
        guard try connection.bind(found[0].name, password: password) else { return nil }
        // People may see less than who searches.
        if settings.groupFilter != nil { try search(as: settings, secret, connection) }
        let groups = try groups(of: found[0], user, settings, connection)
        // A name in the tree may be given to somebody else one day; the server's own identifier is not.
        guard let subject = found[0].subject else {
            throw LDAPConnection.Failure(words: "the entry has neither entryUUID nor objectGUID")
        }
        return VouchedPerson(
            subject: subject, address: found[0].values[settings.mailAttribute]?.first.flatMap { MailAddress($0) },
            name: found[0].values[settings.nameAttribute]?.first, groups: groups)
    }

    /// The groups of somebody, by what their entry names and what the filter for groups finds.
    static func groups(
        of person: LDAPConnection.Entry, _ user: String, _ settings: LDAPSettings, _ connection: LDAPConnection
    ) throws -> Set<String> {
        let named = Set(person.values[settings.groupAttribute] ?? [])
        guard let template = settings.groupFilter else { return named }
        let filter = LDAPFilter.filled(template, ["dn": person.name, "user": user])
        return named.union(
            try connection.search(settings.base, filter, attributes: ["cn"], most: DirectoryLimits.groups).map(\.name))
    }

    static func search(as settings: LDAPSettings, _ secret: String?, _ connection: LDAPConnection) throws {
        guard let searcher = settings.searcher else { return try connection.bindAnonymously() }
        guard try connection.bind(searcher, password: secret ?? "") else {
            throw LDAPConnection.Failure(words: "the searcher's name or password is wrong")
        }
    }
}
