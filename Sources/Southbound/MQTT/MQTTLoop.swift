import Base
import Fleet
import NIOCore
import Synchronization
public import Telemetry

/// What the MQTT connections of one event loop share: the ways to the log, and one output buffer, so that an idle
/// connection owns none.
///
/// Guard of `@unchecked Sendable`: touched on `eventLoop` only.
final class MQTTLoop: @unchecked Sendable {
    /// Devices of a tenant that have the same version of a model, or none, have the same rules.
    private struct LaneKey: Hashable {
        var tenant: TenantID
        var model: ModelID?
        var version: Int
    }

    /// How many lanes are remembered; connections hold theirs beyond that.
    private static let lanesKept = 1024
    /// A buffer that grew beyond this for one connection is not kept for the next.
    private static let keptCapacity = 16 << 10

    let eventLoop: any EventLoop
    let appender: LoopAppender
    private let telemetry: Telemetry
    private var lanes: [LaneKey: IngestLane] = [:]
    private var output = ByteBuffer()

    init(eventLoop: any EventLoop, telemetry: Telemetry) {
        self.eventLoop = eventLoop
        self.telemetry = telemetry
        appender = telemetry.appender(for: eventLoop)
    }

    /// The way in for a device's readings, by its model's rules.
    func ingest(for device: AdmittedDevice, model: Model?) -> DeviceIngest {
        let key = LaneKey(tenant: device.tenant, model: model?.id, version: model?.version ?? 0)
        return telemetry.ingest(device.device, on: lanes[key] ?? makeLane(key, model))
    }

    private func makeLane(_ key: LaneKey, _ model: Model?) -> IngestLane {
        let lane = telemetry.lane(tenant: key.tenant, rules: SeriesRules(model: model), appender: appender)
        if lanes.count >= Self.lanesKept { lanes.removeAll() }
        lanes[key] = lane
        return lane
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
            let made = MQTTLoop(eventLoop: eventLoop, telemetry: telemetry)
            loops[ObjectIdentifier(eventLoop)] = made
            return made
        }
    }
}
