import Access
public import Base
public import Bus
public import Fleet
public import MQTT
public import NIOCore
import Telemetry

/// MQTT for devices: what all connections share, and the pipeline that makes a TLS channel one of them.
public final class MQTTService: Sendable {
    /// What MQTT asks of the rest of the server besides directory, presence and telemetry.
    public struct Calls: Sendable {
        /// Hears of every refusal that concerns trust: from where, its stable code, and the tenant if it is known.
        public var refused: @Sendable (_ source: String, _ code: String, _ tenant: TenantID?) -> Void

        /// These calls.
        public init(refused: @escaping @Sendable (_ source: String, _ code: String, _ tenant: TenantID?) -> Void) {
            self.refused = refused
        }
    }

    let limits: MQTT.Limits
    /// How long a device may take nothing of what it is sent.
    let writeTime: Duration
    let counters: MQTTCounters
    let sessions = MQTTSessions()
    let presence: Presence
    let reports: ReportQueue
    /// Where the devices' tasks are, if they are given any.
    let desk: DeviceDesk?
    let clock: WallClock
    private let directory: DeviceDirectory
    private let doors: TelemetryDoors
    private let registry: ConnectionRegistry
    private let calls: Calls
    private let watch: BusWatch

    /// The MQTT side over these parts; `registry` is the listeners' own.
    public init(
        directory: DeviceDirectory, presence: Presence, doors: TelemetryDoors,
        reports: ReportQueue, desk: DeviceDesk?, registry: ConnectionRegistry, bus: Bus, metrics: Metrics, calls: Calls,
        limits: MQTT.Limits = MQTTService.limits, writeTime: Duration = SouthboundLimits().writeTime,
        clock: WallClock = .system
    ) {
        self.directory = directory
        self.presence = presence
        self.doors = doors
        self.reports = reports
        self.desk = desk
        self.registry = registry
        self.calls = calls
        self.limits = limits
        self.writeTime = writeTime
        self.clock = clock
        counters = MQTTCounters(metrics)
        let sessions = sessions
        watch = BusWatch(
            bus, ended: { sessions.forget($0) }, desired: { sessions.tell($0) }, posted: { sessions.tellOfTasks($0) })
    }

    /// The codec's limits for devices: ThingsBoard's topics need the wildcard `+`, and a filter that is not one of a
    /// device's own is refused by itself.
    public static var limits: MQTT.Limits {
        var limits = MQTT.Limits()
        limits.wildcardSubscriptions = true
        return limits
    }

    /// Makes `channel`, past its handshake, speak MQTT.
    public func install(on channel: any NIOCore.Channel, identity: ConnectionIdentity) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
                MQTTHandler(service: self, loop: doors.loop(channel.eventLoop), identity: identity))
        }
    }

    /// The device that wants to connect, by its certificate or, where its model allows, its access token.
    func admit(certified: AdmittedDevice?, connect: Connect) throws(Refusal) -> AdmittedDevice {
        let device: AdmittedDevice
        if let certified {
            guard directory.isAdmitted(certified) else {
                throw Refusal(.unauthenticated, "device.notAdmitted", "the certificate is not valid any more")
            }
            device = certified
        } else if let token = connect.userName, !token.isEmpty {
            device = try directory.admit(accessToken: token)
        } else {
            throw Refusal(.unauthenticated, "device.noCredential", "present the device's certificate")
        }
        // Devices without a model may be any unmodified client, which names itself as it likes.
        let mustMatch = directory.model(of: device)?.clientIdentifier == .match
        if mustMatch, !connect.clientID.isEmpty,
            ![device.name.text, device.device.text].contains(connect.clientID)
        {
            throw Refusal(.invalid, "device.clientIdentifier", "the client identifier must be the device's name")
        }
        return device
    }

    /// Notes that a device speaks on `channel`; false when its tenant has too many connections or its access has ended
    /// meanwhile.
    func register(_ device: AdmittedDevice, on channel: any NIOCore.Channel) -> Bool {
        registry.register(device, on: channel, by: directory)
    }

    func unregister(_ device: AdmittedDevice, from channel: any NIOCore.Channel) {
        registry.unregister(device, from: channel)
    }

    func isAdmitted(_ device: AdmittedDevice) -> Bool { directory.isAdmitted(device) }

    /// The way in for a device's readings, by its model's rules.
    func ingest(for device: AdmittedDevice, on loop: MQTTLoop) -> DeviceIngest {
        loop.ingest(for: device, model: directory.model(of: device))
    }

    /// The rates of a device, or none while its plan is not known.
    func gate(for device: AdmittedDevice) -> DeviceGate? {
        directory.plan(of: device.tenant).map { plan in
            DeviceGate(plan: plan, tenant: doors.gates.gate(of: device.tenant, plan: plan))
        }
    }

    func refused(_ refusal: Refusal, address: String, tenant: TenantID?) {
        counters.refusedConnects.add()
        calls.refused(address, refusal.code, tenant)
    }

    /// Notes that a device spoke of a task that is not its own: it may be trying numbers.
    func foreignTask(_ device: AdmittedDevice, address: String) {
        calls.refused(address, "task.foreign", device.tenant)
    }

    /// Refuses what the device's credential does not open, and notes it, because it concerns trust.
    func refusedChannel(_ device: AdmittedDevice, address: String) -> Refusal {
        calls.refused(address, "device.channel", device.tenant)
        return Refusal(.forbidden, "device.channel", "this credential is for another channel")
    }

    /// Forgets the kept sessions whose time is over; call it now and then.
    public func removeExpiredSessions() { sessions.removeExpired(at: .now()) }
}

extension Refusal {
    /// This refusal in MQTT's words.
    var reasonCode: ReasonCode {
        switch kind {
        case .invalid: code == "device.clientIdentifier" ? .clientIdentifierNotValid : .payloadFormatInvalid
        case .notFound: code == DeviceDesk.unknown.code ? .topicNameInvalid : .notAuthorized
        case .unauthenticated: .notAuthorized
        case .forbidden: code == "device.channel" ? .notAuthorized : .topicNameInvalid
        case .conflict: .implementationSpecificError
        case .tooLarge: .quotaExceeded
        case .limited: .quotaExceeded
        case .unavailable: .serverUnavailable
        }
    }
}
