import Access
public import Base
import Storage

extension Directories {
    /// Signs somebody in with name and password of a directory.
    ///
    /// Whatever is wrong gets the answer that a wrong password gets everywhere, at the same step of time, and counts with
    /// those. While somebody's account is delayed the directory is asked about nobody's password instead of theirs.
    public func signIn(
        _ directory: String, of organisation: TenantSlug, user: String, password: String, from origin: Origin
    ) async throws -> Step {
        let began = ContinuousClock.now
        try accounts.throttle.charge(origin)
        guard let found = try await enabled(directory, of: organisation), case .ldap(let settings) = found.means,
            Realm(of: found.tenant) == origin.realm, (1...DirectoryLimits.typedBytes).contains(user.utf8.count),
            (1...DirectoryLimits.typedBytes).contains(password.utf8.count), !user.utf8.contains(0),
            !password.utf8.contains(0)
        else {
            noteFailure(nil, origin, "ldap")
            throw await refused(since: began)
        }
        let secret = try await database.tenant(found.tenant).read { try self.secret(of: found, in: $0) }
        let question = Question(
            directory: found, settings: settings, secret: secret, user: user, password: password, origin: origin)
        var answer: Answer
        do {
            answer = try await threads.run { [self] in try ask(question, heard: nil) }
            // Too many have failed at this person from everywhere: who was here lately is heard, and nobody else.
            if let attempt = answer.attempt, attempt.isOpen, attempt.isCrowded, try await isKnown(origin, answer, found)
            {
                answer = try await threads.run { [self] in try ask(question, heard: attempt) }
            }
        } catch {
            // Nobody was asked, or got no answer.
            accounts.throttle.refund(origin)
            guard let failure = error as? LDAPConnection.Failure else { throw error }
            throw Providers.unreadable(failure.words)
        }
        guard let person = answer.person, let attempt = answer.attempt else {
            noteFailure(found, origin, "ldap")
            throw await refused(since: began)
        }
        // The password was no guess, whatever the account is worth here.
        accounts.throttle.succeed(attempt)
        let step = try await admit(person, by: found, from: origin)
        accounts.throttle.refund(origin)
        return step
    }

    /// What a directory server is asked.
    private struct Question: Sendable {
        let directory: Directory
        let settings: LDAPSettings
        let secret: String?
        let user: String
        let password: String
        let origin: Origin
    }

    /// What came of it.
    private struct Answer: Sendable {
        /// The person, when the password is theirs and was looked at.
        var person: VouchedPerson?
        /// The server's own name for who was found, and the attempt at them.
        var subject: String?
        var attempt: SignInThrottle.Attempt?
    }

    /// The refusal of everything that is wrong, at a full step of time: how long the directory took does not tell
    /// whether the person is known, delayed, or has another password.
    private func refused(since began: ContinuousClock.Instant) async -> Refusal {
        let (step, taken) = (DirectoryLimits.refusalStep, (ContinuousClock.now - began).microseconds)
        try? await pause(.microseconds(step - taken % step))
        return SignIn.refused
    }

    /// Whether the person who was found was signed in from around here lately.
    private func isKnown(_ origin: Origin, _ answer: Answer, _ directory: Directory) async throws -> Bool {
        try await database.platform.read { tx in
            let known = try tx.scoped(to: directory.tenant).row(
                "SELECT principal FROM directory_identity WHERE tenant = $1 AND directory = $2 AND subject = $3",
                directory.id, answer.subject ?? "")
            let account = try known.flatMap {
                try AccountRow.find($0.identifier(0), tenant: directory.tenant, in: tx)?.account
            }
            return try accounts.isKnown(origin, to: account, in: tx)
        }
    }

    /// Asks a directory server whether the password is the person's, unless too much was tried at them already.
    private func ask(_ question: Question, heard: SignInThrottle.Attempt?) throws -> Answer {
        let settings = question.settings
        guard let address = LDAPAddress(settings.server) else { return Answer() }
        let connection = try LDAPConnection(address, authorities: settings.authorities, permits: permits)
        try Self.search(as: settings, question.secret, connection)
        let filter = LDAPFilter.filled(settings.filter, ["user": question.user])
        let attributes =
            [settings.nameAttribute, settings.mailAttribute, settings.groupAttribute] + LDAPConnection.Entry.subjects
        let found = try connection.search(settings.base, filter, attributes: attributes, most: 2)
        // Nobody's password is asked about as well, so that the wait does not tell who is known there.
        func askAboutNobody() { _ = try? connection.bind("cn=nobody,\(settings.base)", password: question.password) }
        // Two who could be meant are nobody.
        guard found.count == 1 else {
            askAboutNobody()
            return Answer()
        }
        let (name, subject) = (found[0].name, found[0].subject)
        let attempt =
            heard
            ?? accounts.throttle.begin(
                person: "\(question.directory.id.text)/\(subject ?? name)", from: question.origin)
        guard heard != nil || attempt.isOpen && !attempt.isCrowded else {
            askAboutNobody()
            return Answer(subject: subject, attempt: attempt)
        }
        do {
            guard try connection.bind(name, password: question.password) else { return Answer(attempt: attempt) }
            // People may see less than who searches.
            if settings.groupFilter != nil { try Self.search(as: settings, question.secret, connection) }
            let groups = try Self.groups(of: found[0], question.user, settings, connection)
            // A name in the tree may be given to somebody else one day; the server's own identifier is not.
            guard let subject else {
                throw LDAPConnection.Failure(words: "the entry has neither entryUUID nor objectGUID")
            }
            let person = VouchedPerson(
                subject: subject, address: found[0].values[settings.mailAttribute]?.first.flatMap { MailAddress($0) },
                name: found[0].values[settings.nameAttribute]?.first, groups: groups)
            return Answer(person: person, subject: subject, attempt: attempt)
        } catch {
            accounts.throttle.withdraw(attempt)
            throw error
        }
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
