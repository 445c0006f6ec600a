import NIOCore
import Synchronization
public import Telemetry

/// What the MQTT connections of one event loop share: the way to the log, and one output buffer, so that an idle
/// connection owns none.
///
/// Guard of `@unchecked Sendable`: touched on `eventLoop` only.
final class MQTTLoop: @unchecked Sendable {
    /// A buffer that grew beyond this for one connection is not kept for the next.
    private static let keptCapacity = 16 << 10

    let eventLoop: any EventLoop
    let appender: LoopAppender
    private var output = ByteBuffer()

    init(eventLoop: any EventLoop, appender: LoopAppender) {
        self.eventLoop = eventLoop
        self.appender = appender
    }

    /// An empty buffer to write to; a second taker meanwhile gets one of its own.
    func takeOutput() -> ByteBuffer {
        defer { output = ByteBuffer() }
        return output
    }

    /// Returns a buffer; TLS has taken its bytes by now, so its storage serves again.
    func giveBack(_ buffer: inout ByteBuffer) {
        guard buffer.capacity <= Self.keptCapacity else { return }
        buffer.clear()
        output = buffer
        buffer = ByteBuffer()
    }
}

/// The event loops' ends of the telemetry log, one for each loop and kept for all its connections, and the rates that
/// count for all protocols together.
public final class TelemetryDoors: Sendable {
    let gates = TenantGates()
    let rates = DeviceRates()
    private let telemetry: Telemetry
    private let loops = Mutex<[ObjectIdentifier: MQTTLoop]>([:])

    /// Doors to this telemetry.
    public init(telemetry: Telemetry) {
        self.telemetry = telemetry
    }

    func loop(_ eventLoop: any EventLoop) -> MQTTLoop {
        loops.withLock { loops in
            if let known = loops[ObjectIdentifier(eventLoop)] { return known }
            let made = MQTTLoop(eventLoop: eventLoop, appender: telemetry.appender(for: eventLoop))
            loops[ObjectIdentifier(eventLoop)] = made
            return made
        }
    }
}
