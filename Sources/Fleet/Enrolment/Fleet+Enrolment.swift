public import Access
import Audit
public import Base
import Storage
public import Trust

/// A certificate that a device was just given.
public struct EnrolledCertificate: Sendable {
    /// The device's tenant.
    public let tenant: TenantID
    /// The device.
    public let device: DeviceID
    /// The device's name.
    public let name: Name
    /// The certificate.
    public let certificate: IssuedCertificate
}

extension Fleet {
    /// Gives a registered device its first certificate against its enrolment token, which is used up by it.
    ///
    /// `identifier` is the device's name, or its identifier, which is enough when the tenant is not known. `csr` is the
    /// body of an EST request: base64, PEM or DER. It is not looked at before the token has proved good, and a faulty
    /// one does not use the token up. Every reason to refuse the credentials gives the same answer; the reason is
    /// counted in the audit. When the operator issued a new token to an enrolled device, its earlier certificates end.
    public func enrol(
        tenant slug: TenantSlug?, identifier: String, token: String, csr: [UInt8], channel: Channel = .maintenance,
        address: String?
    ) async throws -> EnrolledCertificate {
        let source = address ?? "unknown"
        func refuse(_ reason: String, _ tenant: TenantID?) -> Refusal {
            audit.refuse(source: source, code: "enrolment.\(reason)", tenant: tenant)
            return Refusal(
                .unauthenticated, "enrolment.refused",
                "Identifier and enrolment token do not fit together, or the token was used or has expired. Ask for a new one.",
                detail: reason)
        }
        guard let reference = DeviceReference(identifier) else { throw refuse("unknown-device", nil) }
        guard let tenant = tenant(slug, reference) else { throw refuse("unknown-tenant", nil) }
        guard (1...FleetLimits.tokenBytes).contains(token.utf8.count) else { throw refuse("wrong-token", tenant) }
        let hash = Token.hash(of: token)

        let first = try await database.tenant(tenant).read { transaction in
            try judge(reference, hash, in: transaction)
        }
        if case .refused(let reason, let device) = first {
            if let device {
                let words = "enrolment: " + reason.replacing("-", with: " ")
                directory.failures.note(.refused, words, device, of: tenant, at: clock.now)
            }
            throw refuse(reason, tenant)
        }
        let request = try EST.request(body: csr)
        let result = try await database.tenant(tenant).write { transaction -> Enrolment in
            // Judged again: between the two transactions somebody else may have used the token.
            guard case .accepted(let old) = try judge(reference, hash, in: transaction) else {
                return .refused("used-token")
            }
            let now = clock.now
            guard try EnrolmentTokens.consume(hash, of: old.id, at: now, in: transaction) else {
                return .refused("used-token")
            }
            let ended = try certificates.revokeAll(of: old.id, tenant: tenant, reason: .superseded, in: transaction)
            let issued = try issue(request, to: old, of: tenant, channel, in: transaction)
            var device = old
            device.status = .active
            device.enrolled = old.enrolled ?? now
            device.changed = now
            device.revision += 1
            try DeviceStore.update(device, from: old, in: transaction)
            let actor = Actor(
                kind: .device, id: device.id.text, name: device.name.text, credential: "enrolment-token",
                address: address)
            try record(
                .deviceEnrolled, device, of: tenant, by: actor,
                details: ["fingerprint": .string(issued.fingerprint.text), "channel": .string(channel.rawValue)],
                in: transaction)
            announce(device, of: tenant, .enrolled, in: transaction)
            announceEnd(of: ended, device.id, tenant, in: transaction)
            announce(issued, channel, device.id, in: transaction)
            return .enrolled(
                EnrolledCertificate(tenant: tenant, device: device.id, name: device.name, certificate: issued))
        }
        switch result {
        case .enrolled(let certificate): return certificate
        case .refused(let reason): throw refuse(reason, tenant)
        }
    }

    /// Gives a device a further certificate against its present one, for the same channel or, for one that holds a
    /// maintenance certificate, for the streaming channel.
    ///
    /// The present certificate stays good until its own end, so that a device which loses the answer, or power, before
    /// it has stored the new one is not locked out. At most three are good for one channel; a further one ends the
    /// oldest but the present.
    public func reenrol(
        _ device: AdmittedDevice, csr: [UInt8], channel wanted: Channel? = nil, address: String?
    ) async throws -> EnrolledCertificate {
        guard let present = device.credential else {
            throw Refusal(
                .forbidden, "enrolment.needsCertificate",
                "An access token can not ask for a certificate; enrol with an enrolment token.")
        }
        let request = try EST.request(body: csr)
        let tenant = device.tenant
        return try await writing(tenant) { transaction in
            guard directory.isAdmitted(device),
                let record = try certificates.find(present, of: tenant, in: transaction), record.status == .active,
                let row = try DeviceStore.find(.id(device.device), in: transaction), row.status == .active
            else { throw Refusal(.unauthenticated, "device.refused", "This credential is not accepted.") }
            let channel = wanted ?? record.channel
            guard channel == record.channel || record.channel == .maintenance else {
                throw Refusal(
                    .forbidden, "enrolment.channel",
                    "A streaming certificate can not ask for a maintenance certificate.")
            }
            let now = clock.now
            let all = try certificates.list(of: row.id, tenant: tenant, in: transaction)
            guard all.count(where: { $0.issuedAt > now - .seconds(86_400) }) < FleetLimits.certificatesPerDay else {
                throw Refusal(
                    .limited, "enrolment.tooOften",
                    "The device asked for \(FleetLimits.certificatesPerDay) certificates within a day; try again later.",
                    retryAfter: .seconds(3600))
            }
            let issued = try issue(request, to: row, of: tenant, channel, in: transaction)
            let good = all.filter { $0.channel == channel && $0.status == .active && $0.notAfter > now }
            let surplus = good.filter { $0.fingerprint != present }.dropFirst(
                FleetLimits.certificatesPerChannel - (channel == record.channel ? 2 : 1))
            for old in surplus {
                _ = try certificates.revoke(old.fingerprint, of: tenant, reason: .superseded, in: transaction)
            }
            let actor = Actor(
                kind: .device, id: row.id.text, name: row.name.text, credential: present.text, address: address)
            try self.record(
                .deviceRenewed, row, of: tenant, by: actor,
                details: ["fingerprint": .string(issued.fingerprint.text), "channel": .string(channel.rawValue)],
                in: transaction)
            announceEnd(of: surplus.map(\.fingerprint), row.id, tenant, in: transaction)
            announce(issued, channel, row.id, in: transaction)
            return EnrolledCertificate(tenant: tenant, device: row.id, name: row.name, certificate: issued)
        }
    }

    /// Gives a device a new enrolment token in place of the present one: because it was lost, has expired, or the
    /// device has lost its key and must enrol again.
    public func reissueEnrolmentToken(
        _ text: String, in tenant: TenantID, by principal: Principal, tokenLife: Duration? = nil
    ) async throws -> EnrolmentToken {
        let reference = try Self.reference(text)
        let life = try EnrolmentTokens.life(tokenLife)
        return try await writing(tenant) { transaction in
            let device = try device(reference, of: tenant, for: principal, .deviceManage, in: transaction)
            guard device.status == .registered || device.status == .active else {
                throw Refusal(
                    .conflict, "device.\(device.status.rawValue)",
                    "A \(device.status.rawValue) device can not enrol; resume it or put a new unit in its place.")
            }
            let tokens = try EnrolmentTokens.issue(
                to: [device], life: life, at: clock.now, areNew: false, in: transaction)
            guard let token = tokens.first else { throw Fleet.unknown }
            try record(
                .enrolmentTokenIssued, device, of: tenant, by: principal.actor(in: tenant),
                details: ["expires": .string(token.expires.rfc3339)], in: transaction)
            return token
        }
    }

    /// Gives a device an access token, where its model allows this weaker credential; the secret is shown this once.
    public func createAccessToken(_ text: String, in tenant: TenantID, by principal: Principal) async throws
        -> AccessToken
    {
        let reference = try Self.reference(text)
        return try await writing(tenant) { transaction in
            let old = try device(reference, of: tenant, for: principal, .deviceManage, in: transaction)
            guard let model = try old.model.flatMap({ try ModelStore.find($0, in: transaction) }),
                model.allowsAccessToken
            else {
                throw Refusal(
                    .conflict, "model.noAccessToken",
                    "The device's model does not allow access tokens; let the device enrol for a certificate, or allow them."
                )
            }
            guard old.status == .registered || old.status == .active else {
                throw Refusal(.conflict, "device.\(old.status.rawValue)", "The device is \(old.status.rawValue).")
            }
            guard try AccessTokens.list(of: old.id, in: transaction).count < FleetLimits.accessTokens else {
                throw Refusal(
                    .conflict, "device.accessTokens", "A device has at most \(FleetLimits.accessTokens) access tokens.")
            }
            let now = clock.now
            let secret = AccessTokens.make()
            let hash = Token.hash(of: secret)
            let token = AccessTokenRecord(id: CredentialID(now: now), created: now)
            try AccessTokens.insert(token, hash: hash, for: old.id, in: transaction)
            var device = old
            if old.status == .registered {
                device.status = .active
                device.enrolled = now
                device.changed = now
                device.revision += 1
                try DeviceStore.update(device, from: old, in: transaction)
                announce(device, of: tenant, .status, in: transaction)
            }
            try record(
                .accessTokenCreated, device, of: tenant, by: principal.actor(in: tenant),
                details: ["token": .string(token.id.text)], in: transaction)
            if let digest = Fingerprint(bytes: hash) {
                let entry = DirectoryCredential(
                    device: device.id, digest: digest, sort: .accessToken, notAfter: Timestamp(microseconds: .max))
                transaction.afterCommit { [directory] in directory.change { $0.add(entry) } }
            }
            return AccessToken(record: token, text: secret)
        }
    }

    /// Ends an access token of a device; the device's connections close, and come back with what is left to it.
    public func endAccessToken(
        _ id: CredentialID, of text: String, in tenant: TenantID, by principal: Principal
    ) async throws {
        let reference = try Self.reference(text)
        try await writing(tenant) { transaction in
            let device = try device(reference, of: tenant, for: principal, .deviceRevoke, in: transaction)
            guard let digest = try AccessTokens.delete(id, of: device.id, in: transaction) else {
                throw Refusal(.notFound, "accessToken.unknown", "The device has no such access token.")
            }
            try record(
                .accessTokenEnded, device, of: tenant, by: principal.actor(in: tenant),
                details: ["token": .string(id.text)], in: transaction)
            let deviceID = device.id
            transaction.afterCommit { [directory] in directory.change { $0.end([digest], of: deviceID) } }
            announceEnd(of: device, of: tenant, .credentialEnded, in: transaction)
        }
    }

    // MARK: - Steps

    private enum Judgement: Sendable {
        case accepted(Device)
        /// Why, and which device when there is one of that name.
        case refused(String, DeviceID?)
    }

    private enum Enrolment: Sendable {
        case enrolled(EnrolledCertificate)
        case refused(String)
    }

    private func tenant(_ slug: TenantSlug?, _ reference: DeviceReference) -> TenantID? {
        if let slug { return directory.activeTenant(slug) }
        guard case .id(let id) = reference else { return nil }
        return directory.tenant(of: id)
    }

    private func judge(_ reference: DeviceReference, _ hash: [UInt8], in transaction: Transaction) throws -> Judgement {
        guard let device = try DeviceStore.find(reference, in: transaction) else {
            return .refused("unknown-device", nil)
        }
        switch try EnrolmentTokens.judge(hash, of: device, at: clock.now, in: transaction) {
        case .good: break
        case .absent: return .refused(device.enrolled == nil ? "no-token" : "already-enrolled", device.id)
        case .wrong: return .refused("wrong-token", device.id)
        case .used: return .refused("already-enrolled", device.id)
        case .expired: return .refused("expired-token", device.id)
        case .otherDomain: return .refused("moved-device", device.id)
        }
        guard device.status == .registered || device.status == .active else {
            return .refused("\(device.status.rawValue)-device", device.id)
        }
        return .accepted(device)
    }

    private func issue(
        _ request: CertificateRequest, to device: Device, of tenant: TenantID, _ channel: Channel,
        in transaction: Transaction
    ) throws -> IssuedCertificate {
        let model = try device.model.flatMap { try ModelStore.find($0, in: transaction) }
        let days = model?.certificateDays ?? ModelDocument().certificateDays
        return try certificates.issue(
            request, to: device.id, of: tenant, for: channel, lifetime: .seconds(days * 86_400), in: transaction)
    }

    private func announce(
        _ issued: IssuedCertificate, _ channel: Channel, _ device: DeviceID, in transaction: Transaction
    ) {
        let entry = DirectoryCredential(
            device: device, digest: issued.fingerprint,
            sort: channel == .stream ? .streamCertificate : .maintenanceCertificate, notAfter: issued.notAfter)
        transaction.afterCommit { [directory] in directory.change { $0.add(entry) } }
    }
}
