import Access
import Audit
public import Base
import Storage
import Trust

extension Factors {
    // MARK: - Setting one up

    /// What `navigator.credentials.create()` is to be given, in the JSON of `parseCreationOptionsFromJSON`.
    public func beginPasskey(for subject: FactorSubject) async throws -> JSONValue {
        try await database.platform.read { tx in
            let holder = try enroller(subject, in: tx)
            let account = holder.account
            let handle = Self.handle(of: account)
            let ticket = PasskeyTicket(.registration, holder: handle, context: holder.context, now: clock.now)
            let known = try passkeys(of: account, in: tx)
            return [
                "rp": ["id": .string(party.id), "name": .string(issuer)],
                "user": [
                    "id": .string(handle.base64URL), "name": .string(account.address.text),
                    "displayName": .string(account.name),
                ],
                "challenge": .string(try ticket.challenge(keyRing, in: tx).base64URL),
                "pubKeyCredParams": .array(
                    COSEKey.algorithms.map { ["type": "public-key", "alg": .integer($0.number)] }),
                "timeout": .integer(SignInLimits.ceremonyMinutes * 60_000),
                "excludeCredentials": .array(known.map(Self.descriptor)),
                // Discoverable where the authenticator has room for it: then nobody has to type their address.
                "authenticatorSelection": [
                    "residentKey": "preferred", "requireResidentKey": false, "userVerification": "preferred",
                ],
                "attestation": "none",
            ]
        }
    }

    /// Sets a passkey up with what the browser answered.
    public func finishPasskey(
        _ answer: PasskeyAnswer, named text: String? = nil, for subject: FactorSubject
    ) async throws -> FactorConfirmation {
        try await database.platform.write { tx -> Result<FactorConfirmation, Refusal> in
            let holder = try enroller(subject, in: tx)
            let account = holder.account
            try makeRoom(for: .passkey, of: holder, in: tx)
            let name = try name(text, .passkey)
            do {
                let (client, data, attested) = try answer.registered(at: party)
                let used = try redeem(client.challenge, .registration, in: tx)
                guard used.holder == Self.handle(of: account), used.context == holder.context else {
                    throw PasskeyFault.challenge
                }
                // Nobody registers what is somebody else's, in whatever tenant.
                let isKnown =
                    try tx.acrossTenants.row("SELECT 1 FROM factor WHERE credential = $1", attested.credential) != nil
                guard !isKnown else { throw PasskeyFault.credential }
                let row = FactorRow(
                    id: FactorID(now: clock.now), principal: account.principal, method: .passkey, name: name,
                    created: clock.now, confirmed: clock.now, counter: Int64(data.count),
                    credential: attested.credential, publicKey: attested.keyBytes,
                    transports: answer.transports.joined(separator: " "), isBackupEligible: data.isBackupEligible)
                try row.insert(tenant: account.tenant, in: tx)
                return .success(try confirmed(row, of: holder, in: tx))
            } catch let fault as PasskeyFault {
                return .failure(try refused(fault, by: holder, in: tx))
            }
        }.get()
    }

    // MARK: - Proving oneself

    /// What `navigator.credentials.get()` is to be given for one of the subject's passkeys, in the JSON of
    /// `parseRequestOptionsFromJSON`.
    public func passkeyRequest(for subject: FactorSubject) async throws -> JSONValue {
        try await database.platform.read { tx in
            let holder = try holder(subject, in: tx)
            let known = try passkeys(of: holder.account, in: tx)
            guard !known.isEmpty else { throw Refusal(.conflict, "factor.none", "You have no passkey.") }
            let ticket = PasskeyTicket(
                .factor, holder: Self.handle(of: holder.account), context: holder.context, now: clock.now)
            return try request(ticket, known.map(Self.descriptor), verification: "preferred", in: tx)
        }
    }

    /// The same for whoever signs in by passkey alone: the authenticator says who it is.
    public func passkeyRequest() async throws -> JSONValue {
        try await database.platform.read { tx in
            try request(
                PasskeyTicket(.signIn, holder: [], context: [], now: clock.now), [], verification: "required", in: tx)
        }
    }

    /// Begins a sign-in by passkey alone, which stands for password and factor together because the authenticator has
    /// checked who touches it; it can be finished at once. One refusal for whatever is wrong.
    public func begin(passkey answer: PasskeyAnswer, from origin: Origin) async throws -> PendingSecret {
        try await database.platform.write { tx -> Result<PendingSecret, Refusal> in
            do {
                let (client, data) = try answer.asserted(at: party)
                let used = try redeem(client.challenge, .signIn, in: tx)
                guard used.holder.isEmpty, used.context.isEmpty else { throw PasskeyFault.challenge }
                guard data.isVerified else { throw PasskeyFault.notVerified }
                guard let account = try account(handle: answer.userHandle ?? [], from: origin, in: tx) else {
                    throw PasskeyFault.userHandle
                }
                let holder = FactorHolder(
                    account: account,
                    actor: Actor(
                        kind: .user, id: account.principal.text, name: account.name, address: origin.address),
                    address: origin.address, context: [])
                do {
                    try use(answer, data, of: account, in: tx)
                } catch let fault as PasskeyFault {
                    _ = try refused(fault, by: holder, in: tx)
                    return .failure(Self.signInRefused)
                }
                let secret = try signIn.wait(account, from: origin, in: tx)
                try signIn.satisfy(secret, with: .passkey, in: tx)
                return .success(secret)
            } catch let fault as PasskeyFault {
                return .failure(fault == .origin ? elsewhere : Self.signInRefused)
            }
        }.get()
    }

    /// Whether an answer is of one of the holder's passkeys.
    func provesByPasskey(_ answer: PasskeyAnswer, of holder: FactorHolder, in tx: Transaction) throws {
        let (client, data) = try answer.asserted(at: party)
        let used = try redeem(client.challenge, .factor, in: tx)
        let handle = Self.handle(of: holder.account)
        guard used.holder == handle, used.context == holder.context else { throw PasskeyFault.challenge }
        guard answer.userHandle == nil || answer.userHandle == handle else { throw PasskeyFault.userHandle }
        try use(answer, data, of: holder.account, in: tx)
    }

    // MARK: - What both share

    /// Checks signature and count against the account's passkey, and notes the use.
    private func use(
        _ answer: PasskeyAnswer, _ data: AuthenticatorData, of account: Account, in tx: Transaction
    ) throws {
        guard let row = try passkeys(of: account, in: tx).first(where: { $0.credential == answer.id }),
            let bytes = row.publicKey, let value = try? CBORValue.prefix(of: bytes).value, let key = COSEKey(value)
        else { throw PasskeyFault.credential }
        try answer.verify(with: key)
        guard data.isBackupEligible == row.isBackupEligible else { throw PasskeyFault.flags }
        // Zero is said by authenticators that count nothing, such as those that copy passkeys between machines.
        guard try FactorRow.use(row.id, counter: Int64(data.count), at: clock.now, tenant: account.tenant, in: tx)
        else { throw PasskeyFault.counter }
    }

    /// The ticket in a challenge, used up by this.
    private func redeem(
        _ challenge: [UInt8], _ purpose: PasskeyTicket.Purpose, in tx: Transaction
    ) throws -> PasskeyTicket {
        guard let ticket = try PasskeyTicket(challenge: challenge, keyRing, in: tx), ticket.purpose == purpose else {
            throw PasskeyFault.challenge
        }
        let now = clock.now
        guard ticket.expires > now else { throw PasskeyFault.expired }
        try tx.execute("DELETE FROM used_challenge WHERE expires < $1", now)
        let isFirst = try tx.execute(
            "INSERT INTO used_challenge (hash, expires) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING",
            Token.hash(of: challenge.base64URL), ticket.expires)
        guard isFirst == 1 else { throw PasskeyFault.replayed }
        return ticket
    }

    /// Records a fault, and answers what is said about it.
    func refused(_ fault: PasskeyFault, by holder: FactorHolder, in tx: Transaction) throws -> Refusal {
        let details: JSONValue = ["method": "passkey", "reason": .string(fault.rawValue)]
        try record(
            fault == .counter ? .passkeyCopied : .factorFailed, by: holder, outcome: .failed, details: details, in: tx)
        if fault == .counter {
            try tell(
                holder.account, "A passkey of your account may have been copied",
                "A passkey of \(holder.account.address) at \(issuer) was refused, because its count of signatures went "
                    + "backwards. Remove it and set up a new one.", in: tx)
        }
        return fault == .origin ? elsewhere : Self.wrong
    }

    private func request(
        _ ticket: PasskeyTicket, _ allowed: [JSONValue], verification: String, in tx: Transaction
    ) throws -> JSONValue {
        [
            "rpId": .string(party.id), "challenge": .string(try ticket.challenge(keyRing, in: tx).base64URL),
            "timeout": .integer(SignInLimits.ceremonyMinutes * 60_000), "allowCredentials": .array(allowed),
            "userVerification": .string(verification),
        ]
    }

    private func passkeys(of account: Account, in tx: Transaction) throws -> [FactorRow] {
        try FactorRow.confirmed(of: account.principal, tenant: account.tenant, in: tx).filter { $0.method == .passkey }
    }

    private static func descriptor(_ row: FactorRow) -> JSONValue {
        var members: [String: JSONValue] = ["type": "public-key", "id": .string((row.credential ?? []).base64URL)]
        let transports = (row.transports ?? "").split(separator: " ").map { JSONValue.string(String($0)) }
        if !transports.isEmpty { members["transports"] = .array(transports) }
        return .object(members)
    }

    /// By what an authenticator names its holder: says nothing about them, and finds the account.
    static func handle(of account: Account) -> [UInt8] { account.tenant.bytes + account.principal.bytes }

    /// The account of a handle that may sign in from here, by the same conditions as with a password.
    private func account(handle: [UInt8], from origin: Origin, in tx: Transaction) throws -> Account? {
        guard handle.count == 32, let tenant = TenantID(bytes: handle[..<16]),
            let principal = PrincipalID(bytes: handle[16...]), Realm(of: tenant) == origin.realm,
            signIn.liveTenant(tenant) != nil,
            let account = try AccountRow.find(principal, tenant: tenant, in: tx)?.account, account.status == .active,
            AddressRanges.admit(origin.address, account.addressRanges),
            AddressRanges.admit(origin.address, try signIn.policy(of: tenant, in: tx).addressRanges)
        else { return nil }
        return account
    }

    private var elsewhere: Refusal {
        Refusal(
            .forbidden, "passkey.origin",
            "Passkeys work at \(party.origins.sorted().joined(separator: " and ")) only; open that address.")
    }

    /// The one answer to whatever is wrong with a sign-in by passkey alone.
    static let signInRefused = Refusal(
        .unauthenticated, "signin.passkey", "This passkey does not count here. Sign in another way.")
}
