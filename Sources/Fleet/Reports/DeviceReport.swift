public import Base

/// Something that a device tells or asks beside its telemetry, as it came: it is read where nobody waits for it.
public struct DeviceReport: Sendable {
    /// What it is.
    public enum Content: Sendable {
        /// JSON that is merged into the reported document (RFC 7396).
        case reported([UInt8])
        /// JSON whose members each replace the one of that name in the reported document, as ThingsBoard's attributes.
        case attributes([UInt8])
        /// JSON with one event or an array of them.
        case events([UInt8])
        /// A wish to see the documents as they are now.
        case look
    }

    /// Who tells it.
    public let device: AdmittedDevice
    /// What it is.
    public let content: Content
    /// When it came.
    public let received: Timestamp

    /// A report of a device.
    public init(_ content: Content, of device: AdmittedDevice, received: Timestamp) {
        self.device = device
        self.content = content
        self.received = received
    }

    /// The bytes that it brought.
    public var size: Int {
        switch content {
        case .reported(let bytes), .attributes(let bytes), .events(let bytes): bytes.count
        case .look: 0
        }
    }
}

/// What became of a report, once that is on disk.
public enum ReportOutcome: Sendable {
    /// It was kept; so many events were in it.
    case kept(events: Int)
    /// The documents, with everything that the device reported before it asked.
    case documents(DeviceDocuments)
    /// It was refused.
    case refused(Refusal)
}

/// A report after it was read.
enum ReadReport {
    case merge(JSONValue)
    case assign([String: JSONValue])
    case events([KeptEvent])
    case look

    init(_ report: DeviceReport, numbers: EventNumbers) throws(Refusal) {
        switch report.content {
        case .look: self = .look
        case .reported(let bytes): self = .merge(.object(try Self.object(bytes, "reported")))
        case .attributes(let bytes): self = .assign(try Self.object(bytes, "attributes"))
        case .events(let bytes):
            let events = try DeviceEvent.events(in: Self.value(bytes, "events"), received: report.received)
            self = .events(numbers.number(events, received: report.received))
        }
    }

    private static func object(_ bytes: [UInt8], _ what: String) throws(Refusal) -> [String: JSONValue] {
        guard case .object(let members) = try value(bytes, what) else {
            throw Refusal(.invalid, "\(what).invalid", "the message must be a JSON object")
        }
        return members
    }

    private static func value(_ bytes: [UInt8], _ what: String) throws(Refusal) -> JSONValue {
        guard bytes.count <= FleetLimits.documentBytes else {
            throw Refusal(
                .tooLarge, "\(what).size",
                "the message has \(bytes.count) bytes; \(FleetLimits.documentBytes) are allowed")
        }
        do {
            return try JSONValue(
                parsing: bytes, limits: JSONLimits(bytes: FleetLimits.documentBytes, depth: FleetLimits.documentDepth))
        } catch {
            throw Refusal(
                .invalid, "\(what).invalid", "the message is not JSON: \(error.message), at byte \(error.offset)")
        }
    }
}
