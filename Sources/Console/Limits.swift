/// Every bound of the console, on one page.
enum ConsoleLimits {
    /// Bytes of a form.
    static let formBytes = 2 << 20
    /// Fields of a form; a directory's groups have three each.
    static let formFields = 1600
    /// Bytes of a form that is kept while its sender proves themselves once more; a longer one is sent anew by hand.
    static let interruptedBytes = 256 << 10
    /// Bytes of what a browser gives back of a passkey's ceremony.
    static let passkeyBytes = 64 << 10
    /// Rows of a list that a visitor may choose.
    static let pageSizes = [50, 100, 200]
    /// Rows of a list when the visitor has not chosen.
    static let pageSize = 50
    /// Matches of a condition that a list counts; beyond it says that there are more, and a bulk act counts all when
    /// it asks whether one is sure.
    static let countedRows = 20_000
    /// Views that a visitor may save in a tenant.
    static let views = 40
    /// Characters of a view's name.
    static let viewNameCharacters = 60
    /// Bytes of what a view keeps.
    static let viewQueryBytes = 2000
    /// Bytes of one condition on the audit log.
    static let auditFieldBytes = 256
    /// Bulk acts of one tenant that may be under way at once.
    static let bulkRuns = 4
    /// Days for which a bulk act that is over is shown.
    static let bulkDays: Int64 = 90
    /// Times that a step of a bulk act may fail in a row.
    static let bulkFailures = 5
    /// Refusals of a bulk act that are kept with their device and reason; the rest is counted.
    static let namedRefusals = 100
    /// Columns of the grid on which a map puts devices together; it has half as many rows.
    static let mapColumns = 28
    /// Degrees from west to east of the smallest map.
    static let mapWidth = 0.002
    /// Domains of one level that the tree shows; the rest is paged beside it.
    static let treeLevel = 100
    /// Lines of the tree beyond which nothing more is opened.
    static let treeLines = 600
    /// Branches of the tree that an address keeps open.
    static let openBranches = 40
    /// Rows of the lists beside the tree.
    static let siteRows = 50
    /// Ways of access that a place shows.
    static let shownHolders = 200
    /// Components of which a page shows the versions; the list as CSV has all.
    static let shownComponents = 60
    /// Versions of one component that a page shows; the list as CSV has all.
    static let shownVersions = 30
    /// Rows of a report that are read at once while it is written.
    static let writtenRows = 500
    /// Reports by mail of one organisation.
    static let reportOrders = 200
    /// Bytes of a report in a mail.
    static let mailedReportBytes = 2 << 20
    /// Reports that are mailed in one round.
    static let reportsAtOnce = 100
    /// Seconds until a report is tried again that could not be made.
    static let reportRetry = 600
    /// Seconds for which a mailed report may wait for a mail server.
    static let reportLife = 86_400
    /// Names that a form offers while somebody types.
    static let offeredNames = 200
    /// Lines of an import that are shown before it is done.
    static let previewLines = 8
    /// Seconds between two signs of life in an event stream, and between two checks of its rights.
    static let heartbeatSeconds = 15
    /// How often in a second an event stream tells what has happened.
    static let beatsPerSecond = 4
    /// Devices that came or went at once and are named; of more, the page learns the counts.
    static let namedDevices = 64
    /// Series of a device whose values are told at once.
    static let liveSeries = 256
    /// Pages that changes have loaded anew in a second, over all open ones.
    static let refreshesPerSecond = 40
    /// Event streams of one tenant at one time.
    static let streamsPerTenant = 600
    /// Values of one series in a chart: two for each pixel of a wide screen.
    static let chartPoints = 1600
    /// Rows of a table of readings.
    static let tableRows = 120
    /// Series that a page shows of one device.
    static let shownSeries = 16
    /// Users that the page of a user group shows.
    static let shownMembers = 500
    /// Bytes of HTML from which packing pays.
    static let packedFrom = 1024
}
