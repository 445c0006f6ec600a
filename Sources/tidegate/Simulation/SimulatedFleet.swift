import Agent
import Base
import Logging
import NIOCore
import ServiceLifecycle

/// Devices that enrol and report for real, over TLS, like any others; only their readings are made up.
struct SimulatedFleet: Service {
    /// One device that may enrol, or has.
    struct Member: Sendable {
        var name: String
        /// What it enrols with; nil when it has its certificate already.
        var enrolmentToken: String?
    }

    /// Devices that enrol, renew or connect at one time: a handshake costs both sides some milliseconds.
    static let opening = 64

    var server: ServerAddress
    var tenant: String
    var members: [Member]
    var interval: Duration
    /// After how long a certificate is renewed, instead of at two thirds of its life.
    var renewAfter: Duration?
    /// How devices do their tasks; they do not call for any when it is nil.
    var work: SimulatedWork?
    /// Where keys and certificates outlive the process; without it they live only as long.
    var state: SimulationState?
    var group: any EventLoopGroup
    var counts = SimulationCounts()
    var logger: Logger

    /// Lets all members live until cancelled; a device that fails tries again.
    func run() async {
        let door = Turnstile(places: Self.opening)
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { tasks in
                for (index, member) in members.enumerated() {
                    let device = SimulatedDevice(fleet: self, member: member, door: door, index: index)
                    tasks.addTask { await device.live() }
                }
            }
        }
    }
}
