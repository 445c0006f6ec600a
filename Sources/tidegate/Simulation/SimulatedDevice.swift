import Agent
import Base
import FoundationEssentials
import Logging
import NIOCore

/// One simulated device from its enrolment to the end of the simulation.
struct SimulatedDevice: Sendable {
    /// What a device proves itself with, and until when it keeps it.
    private struct Credential {
        var identity: DeviceIdentity
        var renewal: ContinuousClock.Instant
    }

    /// The rest after a failure: it doubles up to the longest, so that a server that returns is not overrun.
    private static let rests = (first: Duration.seconds(1), longest: Duration.seconds(60))
    /// How long the last acknowledgement is waited for at the end.
    private static let lastWait = TimeAmount.seconds(2)

    let fleet: SimulatedFleet
    let member: SimulatedFleet.Member
    let door: Turnstile
    let index: Int

    /// Enrols, connects, reports and renews until cancelled.
    func live() async {
        var meter = SimulatedMeter(seed: UInt64(index) + 1)
        var credential: Credential?
        var rest = Self.rests.first
        // Spread over one interval, as devices that were switched on one after the other are.
        try? await Task.sleep(for: fleet.interval * Double(index % 50) / 50)
        while !Task.isCancelled {
            do {
                let current = try await door.pass { try await self.valid(credential) }
                credential = current
                let reporter = try await door.pass {
                    try await MQTTReporter.connect(to: fleet.server, identity: current.identity, group: fleet.group)
                }
                rest = Self.rests.first
                // It ends with the connection on which the readings go.
                async let _ = callForWork(as: current.identity)
                try await report(through: reporter, until: current.renewal, &meter)
            } catch is CancellationError {
                return
            } catch {
                guard !Task.isCancelled else { return }
                fleet.counts.refused(member.name, error)
                fleet.logger.warning(
                    "a simulated device tries again",
                    metadata: ["device": "\(member.name)", "error": "\(Startup.sentence(for: error))"])
                // Not all at the same moment.
                try? await Task.sleep(for: rest * Double.random(in: 0.5...1))
                rest = min(rest * 2, Self.rests.longest)
            }
        }
    }

    private func callForWork(as identity: DeviceIdentity) async {
        guard let work = fleet.work else { return }
        await SimulatedWorker(fleet: fleet, work: work, name: member.name, index: index).live(as: identity)
    }

    // MARK: - Credentials

    /// The device's credential: the given one, that of an earlier run, a renewed or a first one.
    private func valid(_ credential: Credential?) async throws -> Credential {
        let est = ESTClient(server: fleet.server, group: fleet.group)
        if let credential {
            guard credential.renewal <= .now else { return credential }
            return try await renewed(credential.identity, by: est)
        }
        if let (key, certificate) = try fleet.state?.load(member.name) {
            let life = try CertificateLife(of: certificate)
            if life.ends > Date() {
                let identity = try DeviceIdentity(certificate: certificate, key: key)
                return life.renewal > Date() ? kept(identity, life) : try await renewed(identity, by: est)
            }
        }
        guard let token = member.enrolmentToken else {
            throw ConfigurationError("its certificate has ended and there is no token to enrol with")
        }
        let key = DeviceKey()
        let certificate = try await est.enrol(tenant: fleet.tenant, device: member.name, token: token, key: key)
        fleet.counts.enrolled.add()
        return try taken(certificate, key)
    }

    private func renewed(_ identity: DeviceIdentity, by est: ESTClient) async throws -> Credential {
        // A new key with each certificate: the old one may have been seen meanwhile.
        let key = DeviceKey()
        let certificate = try await est.renew(tenant: fleet.tenant, device: member.name, key: key, identity: identity)
        fleet.counts.renewed.add()
        return try taken(certificate, key)
    }

    private func taken(_ certificate: [UInt8], _ key: DeviceKey) throws -> Credential {
        try fleet.state?.save(member.name, key, certificate)
        return kept(try DeviceIdentity(certificate: certificate, key: key), try CertificateLife(of: certificate))
    }

    private func kept(_ identity: DeviceIdentity, _ life: CertificateLife) -> Credential {
        let rest = fleet.renewAfter ?? .seconds(life.renewal.timeIntervalSinceNow)
        return Credential(identity: identity, renewal: ContinuousClock.now + rest)
    }

    // MARK: - Reporting

    /// Reports every interval until the certificate is to be renewed or something fails.
    private func report(
        through reporter: MQTTReporter, until renewal: ContinuousClock.Instant, _ meter: inout SimulatedMeter
    ) async throws {
        fleet.counts.connected.add(1)
        defer { fleet.counts.connected.add(-1) }
        do {
            try await withTaskCancellationHandler {
                var next = ContinuousClock.now
                while ContinuousClock.now < renewal {
                    let payload = meter.reading(after: fleet.interval.inSeconds, now: WallClock.system.now)
                    fleet.counts.sent.add()
                    let began = ContinuousClock.now
                    try await reporter.publish(ByteBuffer(string: payload))
                    fleet.counts.acknowledged(after: .now - began)
                    // A server that answers late is not asked for what was missed meanwhile.
                    next = max(next + fleet.interval, .now)
                    try await Task.sleep(until: next, clock: .continuous)
                }
            } onCancel: {
                reporter.close(after: Self.lastWait)
            }
        } catch {
            await reporter.close()
            throw error
        }
        await reporter.close()
    }
}

extension Duration {
    /// The duration as seconds with a fraction.
    fileprivate var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
