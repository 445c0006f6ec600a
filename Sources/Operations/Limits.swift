import Base

/// Every bound of tasks and operations, on one page.
public enum OperationLimits {
    /// Tasks of an operation that are made in one transaction.
    static let tasksAtOnce = 5_000
    /// Open tasks that one device may have, so that a runaway program does not fill its list.
    public static let openTasks = 100
    /// Devices that an operation names one by one.
    public static let namedDevices = 100_000
    /// Operations of a tenant that are not over.
    public static let openOperations = 1_000
    /// Devices on which a release is installed with no campaign where another person must approve campaigns.
    public static let unapprovedInstalls = 10
    /// Bytes of what a task brings.
    public static let inputBytes = 64 << 10
    /// Maintenance windows of one operation.
    public static let windows = 20
    /// Days for which an operation that is over is kept, with its tasks and their history.
    public static let keptDays: Int64 = 366
    /// How often a list looks further for tasks that its reader may see.
    static let rounds = 20
    /// Operations that one step of upkeep removes.
    static let removedAtOnce = 20
    /// Characters of an operation's title.
    public static let titleCharacters = 120
    /// Statuses of one task that are kept; the first and the last ones stay.
    static let keptStatuses = 100
    /// Texts of one status.
    static let details = 50
    /// Bytes of one text of a status.
    static let detailBytes = 512
    /// Tasks of which a deadline has come that one step takes.
    static let dueAtOnce = 1_000
    /// How often a task is tried at most.
    public static let attempts = 1...11
    /// How long a device may take over a task once it has it.
    public static let timeout: ClosedRange<Int64> = 60...(30 * 86_400)
    /// Seconds that a device has to call for its task after a pause, unless the task's whole time is shorter.
    static let timeAfterPause: Int64 = 86_400
    /// How long a task may wait to be taken.
    public static let life: ClosedRange<Int64> = 60...(366 * 86_400)
    /// The number of the first task, and of the last.
    ///
    /// Update clients read it as a 32-bit integer. A stored version of Zephyr's client loses the first digit of a number
    /// that it cancels, so no number is a digit and zeros: see ``TaskNumber``.
    static let numbers: ClosedRange<Int64> = 11...Int64(Int32.max)

    // MARK: - Envelopes

    /// Tasks that a device is given at once.
    public static let handedOut = 8
    /// How long a signed task counts at most; it ends sooner when the task's own time does.
    static let envelopeLife = Duration.seconds(timeout.upperBound)
    /// Vouchers of a tenant's keys that are kept: a device that was away for as many changes of the key follows.
    static let vouchers: Int64 = 64
    /// How long a signed desired document counts.
    static let desiredLife = Duration.seconds(86_400)
    /// The time for which sequence numbers are reserved at once: one row is written in each while there is work.
    static let reservedTime = Duration.seconds(60)

    // MARK: - Campaigns

    /// Groups of one campaign.
    public static let campaignGroups = 20
    /// Campaigns of a tenant that are not over.
    public static let openCampaigns = 100
    /// Devices of one campaign.
    public static let campaignDevices = 2_000_000
    /// Members that one statement names.
    static let membersAtOnce = 500
    /// Steps that one turn of the clock takes for one campaign, so that deadlines of tasks do not wait for it.
    static let campaignSteps = 4
    /// Devices that a refusal names.
    static let namedInRefusal = 5

    // MARK: - Releases and artifacts

    /// How far ahead of its rate a tenant's devices may take; RAUC's updater gives a download up that stands still for a
    /// minute.
    static let longestPacing = Duration.seconds(45)

    /// Bytes of one artifact.
    public static let artifactBytes: Int64 = 64 << 30
    /// Bytes of an artifact's file name.
    public static let fileNameBytes = 200
    /// Artifacts of one tenant, those on their way included.
    public static let artifacts = 10_000
    /// Artifacts of one tenant that are on their way.
    public static let uploads = 50
    /// Bytes of an upload that are in memory before they are written.
    public static let uploadPartBytes = 512 << 10
    /// How long an upload is kept for which nothing comes.
    static let uploadLife = Duration.seconds(86_400)
    /// How long nothing came of an upload before upkeep finishes it in its sender's place.
    static let finishingPatience = Duration.seconds(600)
    /// How long a blob, or the rest of an upload, lies that nothing names: whoever made it may be about to name it.
    static let unnamedBlobAge = Duration.seconds(3600)
    /// How long such a blob then still lies, so that a backup under way has all that its database names.
    static let unnamedBlobGrace = Duration.seconds(86_400)
    /// Files in an update.
    static let archiveFiles = 1000
    /// Bytes of an update's description.
    static let descriptionBytes = 1 << 20
    /// Levels that a description may nest.
    static let descriptionDepth = 32
    /// Bytes of the signature of an update.
    static let signatureBytes = 64 << 10
    /// Bytes of a bill of materials.
    static let billBytes = 16 << 20
    /// Levels that a bill of materials may nest.
    static let billDepth = 32
    /// Update keys of one tenant.
    public static let updateKeys = 20
    /// Releases of one tenant.
    public static let releases = 10_000
    /// Release lines that a tenant offers, those that are over included.
    public static let releaseLines = 1000
    /// How long a release that could not be taken waits for the next try.
    static let linePatience = Duration.seconds(3600)
    /// Artifacts of one release.
    public static let releaseArtifacts = 16
    /// Bytes of a version.
    public static let versionBytes = 64
    /// Kinds of hardware that a release fits.
    public static let hardware = 64
    /// Bytes of a release's notes.
    public static let notesBytes = 16 << 10
    /// Releases that are kept in memory.
    static let cachedReleases = 1000
}
