public import Base

/// One place where stored telemetry is not what was written.
public struct TelemetryDamage: Hashable, Sendable {
    /// What is wrong.
    public enum Kind: String, Sendable, CaseIterable {
        /// Bytes do not fit their checksum, or are cut off.
        case damaged
        /// Bytes fit their checksum and break the format's rules.
        case malformed
        /// A part of the log that must be there is not.
        case missing
        /// Something stands where it does not belong.
        case misplaced
        /// The stored points are not what their summary says.
        case summary
        /// A device or series that has no name in the registry or the database.
        case nameless
        /// The log says that chunks hold a reading, and they do not.
        case lost
    }

    /// What is wrong.
    public var kind: Kind
    /// Whose reading it concerns, when that can be known.
    public var tenant: TenantID?
    /// The device.
    public var device: DeviceID?
    /// The beginning of the hour.
    public var hour: Timestamp?
    /// The file, or the day or table where the database has no files for them.
    public var file: String
    /// The place in a file of the log.
    public var offset: Int64?
    /// Which of the parts of a device's hour.
    public var part: Int64?
    /// What was found, in one sentence.
    public var message: String

    init(
        _ kind: Kind, file: String, offset: Int64? = nil, part: Int64? = nil, tenant: TenantID? = nil,
        device: DeviceID? = nil,
        hour: UInt32? = nil, _ message: String
    ) {
        self.kind = kind
        self.file = file
        self.offset = offset
        self.part = part
        self.tenant = tenant
        self.device = device
        self.hour = hour.flatMap { Timestamp(milliseconds: Int64($0) * LogFrame.millisecondsPerHour) }
        self.message = message
    }
}

extension TelemetryDamage: CustomStringConvertible {
    /// Where the damage lies and what it is.
    public var description: String {
        let place = [
            file, offset.map { "offset \($0)" }, part.map { "part \($0)" }, tenant.map { "tenant \($0.text)" },
            device.map { "device \($0.text)" }, hour.map { "hour \($0.rfc3339)" },
        ].compactMap(\.self).joined(separator: ", ")
        return "\(place): \(kind.rawValue): \(message)"
    }
}

/// What verification found in stored telemetry.
public struct TelemetryReport: Sendable {
    /// Segments of the log.
    public var segments = 0
    /// Groups in them, each one commit.
    public var groups = 0
    /// Values in these.
    public var loggedValues = 0
    /// Those of them that the mark does not say to be in chunks.
    public var openValues = 0
    /// Days that have chunks.
    public var partitions = 0
    /// Chunks.
    public var chunks = 0
    /// Points in them.
    public var storedPoints = 0
    /// Points that somebody sees who asks for all: of log and chunks, each series and time once.
    public var visiblePoints = 0
    /// Device days of which only summaries remain.
    public var summaries = 0
    /// What is no damage and still worth knowing.
    public var notes: [String] = []
    /// The first damages, in the order in which they were found.
    public var damages: [TelemetryDamage] = []
    /// How many there are, listed or not.
    public var damageCount = 0

    /// True when nothing is wrong.
    public var isIntact: Bool { damageCount == 0 }

    /// Values that chunks, or chunks and the open log, hold more than once: sent again, corrected, or not yet forgotten.
    public var repeatedValues: Int { openValues + storedPoints - visiblePoints }

    /// The most damages that a report lists.
    public static let listedDamages = 100

    mutating func add(_ damage: TelemetryDamage) {
        damageCount += 1
        if damages.count < Self.listedDamages { damages.append(damage) }
    }
}
