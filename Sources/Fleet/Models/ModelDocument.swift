public import Base

/// What people write about a device type: its series, components and policies.
public struct ModelDocument: Hashable, Sendable {
    /// What happens to a series that the model does not declare.
    public enum Undeclared: String, CaseIterable, Sendable {
        /// It is stored like the others.
        case accept
        /// The value is refused.
        case refuse
        /// The value is kept apart until somebody decides.
        case quarantine
    }

    /// What happens to an MQTT client identifier that is not the device's own.
    public enum ClientIdentifier: String, CaseIterable, Sendable {
        /// It must be the device's name or identifier, else the connection is refused.
        case match
        /// The device's own identifier takes its place.
        case replace
    }

    /// How far a device's time may lie from the server's.
    public struct TimeWindow: Hashable, Sendable {
        /// How far in the past a record may lie.
        public var past: Duration
        /// How far in the future a record may lie.
        public var future: Duration

        /// A window of these two lengths.
        public init(past: Duration, future: Duration) {
            self.past = past
            self.future = future
        }

        /// Ten years back, because meters are read out late, and one day ahead, because clocks run wrong.
        public static let usual = TimeWindow(past: .seconds(3653 * 86_400), future: .seconds(86_400))
    }

    /// What the device type is, for people.
    public var description: String?
    /// What releases call the hardware of such a device; nil when they may be of any.
    public var hardware: String?
    /// The declared series, in the order of the document.
    public var series: [SeriesDeclaration]
    /// What happens to other series.
    public var undeclared: Undeclared
    /// What happens to a foreign MQTT client identifier.
    public var clientIdentifier: ClientIdentifier
    /// Whether devices may sign in with an access token, the weaker credential.
    public var allowsAccessToken: Bool
    /// Whether the maintenance certificate also opens the streaming channel.
    public var oneCertificateForBoth: Bool
    /// How many days a device's certificate lives.
    public var certificateDays: Int
    /// How far a device's time may lie from the server's.
    public var timeWindow: TimeWindow
    /// The separately versioned parts that such a device has.
    public var components: [Name]
    /// How often such devices shall call, where neither they nor their domains have a policy.
    public var heartbeat: HeartbeatPolicy?
    /// What the desired document of such a device may be; anything when nil.
    public var desiredSchema: JSONSchema?
    /// What a custom task may bring such a device; anything when nil.
    public var customTaskSchema: JSONSchema?

    /// A document with these policies; each default suits an unmodified client.
    public init(
        description: String? = nil, hardware: String? = nil, series: [SeriesDeclaration] = [],
        undeclared: Undeclared = .accept,
        clientIdentifier: ClientIdentifier = .replace, allowsAccessToken: Bool = false,
        oneCertificateForBoth: Bool = true, certificateDays: Int = 30, timeWindow: TimeWindow = .usual,
        components: [Name] = [], heartbeat: HeartbeatPolicy? = nil, desiredSchema: JSONSchema? = nil,
        customTaskSchema: JSONSchema? = nil
    ) {
        self.description = description
        self.hardware = hardware
        self.series = series
        self.undeclared = undeclared
        self.clientIdentifier = clientIdentifier
        self.allowsAccessToken = allowsAccessToken
        self.oneCertificateForBoth = oneCertificateForBoth
        self.certificateDays = certificateDays
        self.timeWindow = timeWindow
        self.components = components
        self.heartbeat = heartbeat
        self.desiredSchema = desiredSchema
        self.customTaskSchema = customTaskSchema
    }
}

extension ModelDocument {
    /// Longest time window that can be written: a century.
    private static let windowSeconds: ClosedRange<Int64> = 0...(36_525 * 86_400)

    /// The document that `json` spells; otherwise `model.invalid` with a JSON pointer to each fault.
    public init(json: JSONValue) throws(Refusal) {
        var reader = DocumentReader(json)
        self.init()
        description = reader.text("description", limit: FleetLimits.descriptionBytes)
        hardware = reader.text("hardware", limit: FleetLimits.hardwareBytes)
        if let elements = reader.array("series", limit: FleetLimits.series) {
            let (declared, faults) = Self.readSeries(elements, at: reader.place("series"))
            series = declared
            reader.adopt(faults)
        }
        if let word = reader.word("undeclared", of: Undeclared.self) { undeclared = word }
        if let word = reader.word("clientIdentifier", of: ClientIdentifier.self) { clientIdentifier = word }
        if let allowed = reader.bool("allowsAccessToken") { allowsAccessToken = allowed }
        if let one = reader.bool("oneCertificateForBoth") { oneCertificateForBoth = one }
        let days = Int64(FleetLimits.certificateDays.lowerBound)...Int64(FleetLimits.certificateDays.upperBound)
        if let number = reader.integer("certificateDays", in: days) { certificateDays = Int(number) }
        if let value = reader.value("timeWindow") {
            var inner = DocumentReader(value, at: reader.place("timeWindow"))
            if let past = inner.integer("pastSeconds", in: Self.windowSeconds) { timeWindow.past = .seconds(past) }
            if let future = inner.integer("futureSeconds", in: Self.windowSeconds) {
                timeWindow.future = .seconds(future)
            }
            inner.finish()
            reader.adopt(inner.faults)
        }
        for (index, value) in (reader.array("components", limit: FleetLimits.components) ?? []).enumerated() {
            if let name = value.string.flatMap({ Name($0) }), !components.contains(name) {
                components.append(name)
            } else {
                reader.fault("components", "\(index)", "must be a name that is not there yet")
            }
        }
        if let value = reader.value("heartbeat") {
            var inner: [Refusal.Fault] = []
            heartbeat = HeartbeatPolicy.read(value, at: reader.place("heartbeat"), faults: &inner)
            reader.adopt(inner)
        }
        desiredSchema = Self.schema("desiredSchema", &reader)
        customTaskSchema = Self.schema("customTaskSchema", &reader)
        reader.finish()
        guard reader.faults.isEmpty else { throw .faulty("model.invalid", "The model", reader.faults) }
    }

    private static func schema(_ key: String, _ reader: inout DocumentReader) -> JSONSchema? {
        guard let value = reader.value(key) else { return nil }
        var faults: [Refusal.Fault] = []
        defer { reader.adopt(faults) }
        return JSONSchema.read(value, at: reader.place(key), faults: &faults)
    }

    private static func readSeries(
        _ elements: [JSONValue], at pointer: String
    ) -> (series: [SeriesDeclaration], faults: [Refusal.Fault]) {
        var series: [SeriesDeclaration] = []
        var faults: [Refusal.Fault] = []
        var names: Set<String> = []
        for (index, element) in elements.enumerated() {
            let place = "\(pointer)/\(index)"
            guard let declaration = SeriesDeclaration.read(element, at: place, faults: &faults) else { continue }
            if names.insert(declaration.name).inserted {
                series.append(declaration)
            } else {
                faults.append(Refusal.Fault(place: "\(place)/name", message: "is declared twice"))
            }
        }
        return (series, faults)
    }

    /// The document with every policy written out.
    public var json: JSONValue {
        var members: [String: JSONValue] = [
            "series": .array(series.map(\.json)),
            "undeclared": .string(undeclared.rawValue),
            "clientIdentifier": .string(clientIdentifier.rawValue),
            "allowsAccessToken": .bool(allowsAccessToken),
            "oneCertificateForBoth": .bool(oneCertificateForBoth),
            "certificateDays": .integer(Int64(certificateDays)),
            "timeWindow": [
                "pastSeconds": .integer(timeWindow.past.components.seconds),
                "futureSeconds": .integer(timeWindow.future.components.seconds),
            ],
            "components": .array(components.map { .string($0.text) }),
        ]
        if let description { members["description"] = .string(description) }
        if let hardware { members["hardware"] = .string(hardware) }
        if let heartbeat { members["heartbeat"] = heartbeat.json }
        if let desiredSchema { members["desiredSchema"] = desiredSchema.json }
        if let customTaskSchema { members["customTaskSchema"] = customTaskSchema.json }
        return .object(members)
    }
}
