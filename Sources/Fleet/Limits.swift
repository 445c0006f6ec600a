/// Every bound that this target puts on what comes from outside, on one page.
public enum FleetLimits {
    /// Devices that one call may register.
    public static let registeredAtOnce = 100_000
    /// Bytes in one body of a bulk registration.
    public static let registrationBytes = 256 << 20
    /// Bytes in one line of a bulk registration, or in one element of its array.
    public static let registrationLineBytes = 64 << 10
    /// Columns in the CSV of a bulk registration.
    public static let registrationColumns = 256
    /// Faults that a refused document or bulk registration names; the rest are only counted.
    public static let namedFaults = 100
    /// Devices whose failures of contact wait in memory to be written.
    public static let waitingFailures = 50_000
    /// Of these, devices that one transaction writes.
    public static let failureRows = 1000
    /// Devices on one page of a list.
    public static let pageSize = 1000
    /// Bytes in the text of a filter.
    public static let filterBytes = 4096
    /// Comparisons in one filter.
    public static let filterTerms = 64
    /// Levels of brackets and `not` in one filter.
    public static let filterDepth = 16
    /// Bytes in a cursor's text.
    public static let cursorBytes = 1024
    /// Labels of one device.
    public static let labels = 32
    /// Bytes in a label's value.
    public static let labelValueBytes = 128
    /// Attributes of one device.
    public static let attributes = 128
    /// Devices of one transaction when something is done to many.
    public static let bulkStep = 200
    /// Marks that one view of a map has at most.
    public static let mapCells = 500
    /// Bytes in one device's attributes as canonical JSON.
    public static let attributesBytes = 32 << 10
    /// Components of one device or model.
    public static let components = 32
    /// Devices of a tenant from which on their versions are not counted anew at each look.
    static let countedAnew = 10_000
    /// How long counted versions are shown after a change.
    static let countsPatience = Duration.seconds(5)
    /// Lines of counted versions that are kept of one tenant.
    static let keptCounts = 20_000
    /// Bytes in a component's version.
    public static let versionBytes = 128
    /// Hardware identifiers of one device.
    public static let hardwareIdentifiers = 16
    /// Bytes in the text of a hardware identifier before it is normalised.
    public static let hardwareIdentifierBytes = 96
    /// Bytes in a place's description.
    public static let placeBytes = 256
    /// Series that one model declares.
    public static let series = 1024
    /// Bytes in a series' name, the same as telemetry accepts.
    public static let seriesNameBytes = 128
    /// Bytes in a unit's symbol.
    public static let unitBytes = 32
    /// Bytes in a model's document.
    public static let modelBytes = 512 << 10
    /// Bytes in a model's description.
    public static let descriptionBytes = 1024
    /// Bytes of the name of a kind of hardware.
    public static let hardwareBytes = 128
    /// Models of one tenant.
    public static let models = 1000
    /// Versions of one model that are kept; older ones are dropped.
    public static let modelVersions = 100
    /// Days that a device's certificate may live.
    public static let certificateDays = 1...825
    /// How long an enrolment token works unless the caller says otherwise.
    public static let enrolmentTokenLife: Duration = .seconds(7 * 86_400)
    /// The longest time for which an enrolment token may work.
    public static let enrolmentTokenLifeLongest: Duration = .seconds(366 * 86_400)
    /// Certificates that one device may hold for one channel; a further one ends the oldest.
    public static let certificatesPerChannel = 3
    /// Certificates that one device may ask for within a day.
    public static let certificatesPerDay = 12
    /// Access tokens of one device.
    public static let accessTokens = 4
    /// Bytes in the text of an access or enrolment token.
    public static let tokenBytes = 128
    /// Rows of one statement or transaction when presence is written.
    public static let presenceRows = 500
    /// Deleted devices, and ended credentials, that the directory remembers, so that a late report brings none back.
    public static let rememberedEnds = 65_536
    /// Bytes of an address or protocol that presence keeps.
    public static let addressBytes = 64
    /// Levels of a schema below its first.
    public static let schemaDepth = 8
    /// Parts of a schema, members and elements at all levels.
    public static let schemaNodes = 500
    /// Values that a schema may list in one place.
    public static let schemaValues = 200
    /// Bytes in a device's reported or desired document as canonical JSON, and in one report.
    public static let documentBytes = 64 << 10
    /// Layers that a device's desired document is merged from.
    static let layerDepth = 64
    /// Faults that are kept beside a desired document that does not fit its model.
    static let keptDesiredFaults = 10
    /// Devices whose changes a preview shows; the others are counted.
    public static let previewedDevices = 20
    /// Devices that one edit changes.
    public static let editedDevices = 100_000
    /// Bytes of what one edit changes: what its devices share, and what the list says of each.
    public static let editBytes = 32 << 20
    /// Devices of an edit that one transaction writes.
    static let editStep = 5000
    /// Edits that may be under way in a tenant.
    static let openEdits = 10
    /// How long a tenant's desired documents wait after the work on them failed; each further failure doubles it.
    static let desiredPause: Duration = .seconds(15)
    /// The longest such wait.
    static let desiredPauseLongest: Duration = .seconds(900)
    /// Edits of a tenant that are remembered.
    static let keptEdits = 100
    /// Bytes in the text of a value that is made for each device.
    static let recipeBytes = 1024
    /// Characters of a random value.
    static let randomCharacters = 8...128
    /// Devices that one page of a preview reads.
    static let previewStep = 1000
    /// Levels that a document or report may nest.
    public static let documentDepth = 16
    /// Events in one message of a device.
    public static let eventsAtOnce = 100
    /// Bytes in an event's text.
    public static let eventTextBytes = 1024
    /// Members of an event's details.
    public static let eventDetails = 64
    /// Bytes in an event's details as canonical JSON.
    public static let eventDetailsBytes = 4 << 10
    /// Events of one device that are kept, the newest; older ones go at the next upkeep.
    public static let eventsKept = 10_000
    /// Events that one transaction of the upkeep removes.
    public static let trimmedEvents = 5000
    /// Seconds between two calls of a device, and the longest pause that any client understands.
    public static let heartbeatSeconds: ClosedRange<Int64> = 1...86_399
    /// Percent by which a pause may differ from the interval.
    public static let heartbeatJitter: ClosedRange<Int64> = 0...50
    /// Missed calls after which a device is late.
    public static let heartbeatLate: ClosedRange<Int64> = 1...1000
    /// Missed calls after which a device is silent.
    public static let heartbeatSilent: ClosedRange<Int64> = 2...3000
    /// Bytes in the name of a time zone.
    public static let timeZoneBytes = 64
    /// Seconds by which a call may come late without being missed.
    static let heartbeatGrace: Int64 = 2
    /// Seconds without a turn after which the server itself was away, so that nobody is to blame for calls it missed.
    static let heartbeatStall: Int64 = 15
    /// Seconds between two looks at a silent device that may be heard on a connection it had all along.
    static let heartbeatLook: Int64 = 60
}
