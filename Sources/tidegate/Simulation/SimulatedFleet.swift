import Agent
import Base
import Logging
import NIOCore
import ServiceLifecycle

/// Devices that enrol and report for real, over TLS, like any others; only their readings are made up.
struct SimulatedFleet: Service {
    /// One device that may enrol.
    struct Member: Sendable {
        var name: String
        var enrolmentToken: String
    }

    var server: ServerAddress
    var tenant: String
    var members: [Member]
    var interval: Duration
    var group: any EventLoopGroup
    var logger: Logger

    /// Enrols all members, then reports every `interval` until cancelled; a device that fails tries again.
    func run() async {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { tasks in
                for (index, member) in members.enumerated() {
                    tasks.addTask { await live(member, seed: UInt64(index) + 1) }
                }
            }
        }
    }

    private func live(_ member: Member, seed: UInt64) async {
        let key = DeviceKey()
        var identity: DeviceIdentity?
        var meter = SimulatedMeter(seed: seed)
        var pause = Duration.seconds(1)
        // Spread over one interval, as devices that were switched on one after the other are.
        try? await Task.sleep(for: interval * Double(seed % 50) / 50)
        while !Task.isCancelled {
            do {
                if identity == nil {
                    let certificate = try await ESTClient(server: server, group: group)
                        .enrol(tenant: tenant, device: member.name, token: member.enrolmentToken, key: key)
                    identity = try DeviceIdentity(certificate: certificate, key: key)
                }
                guard let identity else { continue }
                let reporter = try await MQTTReporter.connect(to: server, identity: identity, group: group)
                pause = .seconds(1)
                do {
                    try await report(through: reporter, meter: &meter)
                } catch {
                    await reporter.close()
                    throw error
                }
            } catch is CancellationError {
                return
            } catch {
                logger.warning("a simulated device tries again", metadata: ["device": "\(member.name)", "error": "\(error)"])
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(60))
            }
        }
    }

    private func report(through reporter: MQTTReporter, meter: inout SimulatedMeter) async throws {
        while true {
            let payload = meter.reading(after: Double(interval.components.seconds), now: WallClock.system.now)
            try await reporter.publish(ByteBuffer(string: payload))
            try await Task.sleep(for: interval)
        }
    }
}
