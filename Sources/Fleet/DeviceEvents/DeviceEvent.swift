public import Base
public import Bus
import Synchronization

/// Something that a device says has happened to it.
///
/// It is the device's word and no more: what the server itself knows is in the audit log.
public struct DeviceEvent: Hashable, Sendable {
    /// How much it matters.
    public enum Severity: String, CaseIterable, Sendable {
        /// Good to know.
        case info
        /// Somebody should look at it.
        case warning
        /// Somebody must act.
        case critical
    }

    /// What happened, as a stable name such as `door.opened`.
    public let code: Name
    /// How much it matters.
    public let severity: Severity
    /// What happened, for people.
    public let text: String?
    /// Whatever else belongs to it.
    public let details: [String: JSONValue]
    /// When it happened, by the device's clock, or when it was received if the device did not say.
    public let time: Timestamp
}

/// A device's event as it is kept.
public struct KeptEvent: Hashable, Sendable {
    /// The event.
    public let event: DeviceEvent
    /// The moment of receipt in microseconds, moved on where two events would have the same.
    public let sequence: Int64

    /// The event as people read it.
    public var json: JSONValue {
        [
            "time": .string(event.time.rfc3339), "received": .string(Timestamp(microseconds: sequence).rfc3339),
            "code": .string(event.code.text), "severity": .string(event.severity.rawValue),
            "text": event.text.map { .string($0) } ?? .null, "details": .object(event.details),
        ]
    }
}

/// A device said that something has happened.
public struct DeviceEventsKept: Event, Hashable {
    /// The device's tenant.
    public let tenant: TenantID
    /// The device.
    public let device: DeviceID
    /// What it said, in the order in which it said it.
    public let events: [DeviceEvent]
}

extension DeviceEvent {
    /// The events in what a device sent: one object, or an array of them.
    static func events(in value: JSONValue, received: Timestamp) throws(Refusal) -> [DeviceEvent] {
        var faults: [Refusal.Fault] = []
        var events: [DeviceEvent] = []
        switch value {
        case .array(let elements) where (1...FleetLimits.eventsAtOnce).contains(elements.count):
            for (index, element) in elements.enumerated() {
                events += event(element, at: "/\(index)", received: received, &faults)
            }
        case .array:
            faults.append(
                Refusal.Fault(place: "", message: "must be an event or an array of 1 to \(FleetLimits.eventsAtOnce)"))
        default: events += event(value, at: "", received: received, &faults)
        }
        guard faults.isEmpty else { throw Refusal.faulty("events.invalid", "The message", faults) }
        return events
    }

    private static func event(
        _ value: JSONValue, at pointer: String, received: Timestamp, _ faults: inout [Refusal.Fault]
    ) -> [DeviceEvent] {
        var reader = DocumentReader(value, at: pointer)
        let code = reader.name("code")
        if code == nil, !reader.has("code") { reader.fault("code", "is missing") }
        let severity = reader.word("severity", of: Severity.self)
        let text = reader.text("text", limit: FleetLimits.eventTextBytes)
        // As far as telemetry looks ahead, because clocks run wrong; the past is as long as the device's memory.
        let latest = (received + ModelDocument.TimeWindow.usual.future).milliseconds
        let time = reader.integer("ts", in: 0...latest).flatMap { Timestamp(milliseconds: $0) }
        let details = reader.object("details", limit: FleetLimits.eventDetails)
        if let details, JSONValue.object(details).canonical.utf8.count > FleetLimits.eventDetailsBytes {
            reader.fault("details", "must not exceed \(FleetLimits.eventDetailsBytes) bytes")
        }
        reader.finish()
        faults += reader.faults
        guard reader.faults.isEmpty, let code else { return [] }
        return [
            DeviceEvent(
                code: code, severity: severity ?? .info, text: text, details: details ?? [:], time: time ?? received)
        ]
    }
}

/// Gives each event a number of its own.
final class EventNumbers: Sendable {
    private let last = Mutex<Int64>(0)

    /// These events with their numbers, in their order.
    func number(_ events: [DeviceEvent], received: Timestamp) -> [KeptEvent] {
        let first = last.withLock { last in
            let first = max(last &+ 1, received.microseconds)
            last = first &+ Int64(events.count) &- 1
            return first
        }
        return events.enumerated().map { KeptEvent(event: $1, sequence: first &+ Int64($0)) }
    }
}
