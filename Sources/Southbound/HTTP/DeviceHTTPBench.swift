import Access
import Base
import Fleet
import Logging
public import NIOCore
import NIOHTTP1

/// HTTP for devices on a channel without TLS and without a fleet, for the fuzz target: everything between the bytes of
/// a stranger and an answer, but no database behind it.
@_spi(Fuzzing)
public final class DeviceHTTPBench {
    private let service: DeviceHTTPService
    private let queue: DeviceWorkQueue
    private let loop: ConnectionLoop
    private let counts: SourceCounts
    private let address: ClientAddress

    /// A bench for channels on this event loop.
    public init(eventLoop: any EventLoop, address: SocketAddress) throws {
        guard let address = ClientAddress(address) else {
            throw Refusal(.invalid, "bench.address", "The address is not an IP address.")
        }
        self.address = address
        let (metrics, limits) = (Metrics(), SouthboundLimits())
        let counters = SouthboundCounters(metrics)
        let clock = WallClock { Timestamp(microseconds: 0) }
        queue = DeviceWorkQueue(atOnce: 1, waiting: 1_000, sharesPlaces: true)
        loop = ConnectionLoop(eventLoop: eventLoop, counters: counters)
        counts = SourceCounts(limits: limits)
        service = try DeviceHTTPService(
            directory: DeviceDirectory(tenants: TenantDirectory(), clock: clock),
            registry: ConnectionRegistry(metrics: metrics),
            services: DeviceServices(
                certificates: { _ in [] }, enrol: { _ in [] }, renew: { _ in [] },
                telemetry: { $0.eventLoop.makeSucceededFuture(.accepted) }, refused: { _, _, _ in }, presence: nil),
            queue: queue, limits: limits, counters: counters, clock: clock, logger: Logger(label: "bench"))
    }

    /// Makes the channel speak HTTP with somebody who has no certificate.
    public func install(on channel: any NIOCore.Channel) throws {
        _ = counts.begin(address)
        let connection = DeviceConnection(channel: channel, address: address, loop: loop, counts: counts)
        loop.handshakes.append(connection)
        channel.closeFuture.assumeIsolated().whenComplete { _ in connection.release() }
        let handler = DeviceHTTPHandler(service: service, connection: connection, loop: loop, device: nil)
        connection.finishHandshake(owner: handler)
        try channel.pipeline.syncOperations.addHandlers(HandshakeHandler.httpDecoder(), handler)
    }

    /// Turns away what waits for an enrolment, so that every request has its answer.
    public func turnAway() { queue.turnAway() }

    /// Bytes of bodies that are held now.
    public var heldBytes: Int { service.bodies.bytes }

    /// Connections that are open now.
    public var openConnections: Int { counts.open }
}
