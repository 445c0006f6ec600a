import Access
import Audit
import Base
import Bus
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import SignIn
import Storage
import Telemetry
import Trust

/// The verification of a tenant's log: how far it is, and what it has found, in words.
struct VerificationPage: PageView {
    static let template = "audit-verification"
    static let menu: MenuItem? = .audit

    struct Progress: Sendable {
        let text: String
        let done: Int
        let size: Int
    }

    struct Result: Sendable {
        let badge: Badge
        let sentence: String
        let facts: [DeviceView.Fact]
        let damages: [Damage]
        let hasDamages: Bool
        let further: String?
    }

    struct Damage: Sendable {
        let place: String
        let address: String?
        let kind: String
        let message: String
        let code: String
        let time: Moment?
    }

    /// An earlier verification, as the log itself tells of it.
    struct Earlier: Sendable {
        let badge: Badge
        let who: String
        let time: Moment
        let address: String
    }

    let title = "Verification"
    let list: String
    let address: String
    let bundleAddress: String
    let canExport: Bool
    let canStart: Bool
    let verb: String
    let progress: Progress?
    let fault: String?
    let result: Result?
    let earlier: Earlier?
}

extension VerificationPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        try await console.authorizeAudit(visit)
        list = "\(visit.home)/audit"
        let list = list
        address = list + "/verification"
        bundleAddress = list + "/bundle"
        canExport = try await console.reach(of: visit.principal, in: visit.tenant).0.contains(.auditExport)
        let state = console.verifier.state(of: visit.tenant.id)
        canStart = !state.isUnderway
        var finding: AuditFinding?
        switch state {
        case .idle: (progress, fault) = (nil, nil)
        case .waiting: (progress, fault) = (Progress(text: "Waiting for its turn.", done: 0, size: 1), nil)
        case .running(let entries, let size):
            progress = Progress(
                text: "\(Int(entries).grouped) of \(Int(size).grouped) entries read.", done: Int(entries),
                size: max(Int(size), 1))
            fault = nil
        case .failed(let reason): (progress, fault) = (nil, reason)
        case .found(let found):
            (progress, fault) = (nil, nil)
            finding = found
        }
        verb = finding == nil ? "Verify now" : "Verify again"
        result = finding.map { Result($0, list: list) }
        let last = finding == nil ? try await console.audit.lastVerification(of: visit.tenant.id) : nil
        earlier = last.map { entry in
            Earlier(
                badge: entry.outcome == .success ? .good("Intact") : .critical("Damaged"), who: entry.actor.words,
                time: Moment(entry.time), address: "\(list)/\(entry.index)")
        }
    }
}

extension VerificationPage.Result {
    init(_ finding: AuditFinding, list: String) {
        let report = finding.report
        badge = report.isIntact ? .good("Intact") : .critical("Damaged")
        let entries = Int(report.entries).grouped
        let many = report.entries == 1 ? "The one entry is" : "All \(entries) entries are"
        sentence =
            report.isIntact
            ? "\(many) as recorded: none was changed, removed, added or moved."
            : "The log is not what was recorded. The first bad place is "
                + (report.damages.first?.index.map { "entry \($0)." } ?? "in its hashes.")
        facts = [
            .init("Entries read", "\(entries) of \(Int(report.size).grouped)"),
            .init("From", time: Moment(report.firstTime)), .init("Until", time: Moment(report.lastTime)),
            .init("Dropped by retention", report.keptFrom > 0 ? "the first \(Int(report.keptFrom).grouped)" : nil),
            .init("Head hash", report.root?.description),
            .init(
                "Signed checkpoints",
                "\(report.checkpoints.grouped) hold, the newest over \(Int(report.signedSize).grouped) entries"),
            .init("Newest checkpoint", time: Moment(report.signedTime)),
            .init("Not signed for yet", report.unsigned > 0 ? Int(report.unsigned).grouped : nil),
            .init("Waiting for their place", report.pending > 0 ? report.pending.grouped : nil),
            .init("Signed by", tags: report.keys),
            .init("Began", time: Moment(finding.began)), .init("Ended", time: Moment(finding.ended)),
            .init("Asked by", finding.reader.words),
        ].filter { !$0.isEmpty }
        damages = report.damages.map { damage in
            VerificationPage.Damage(
                place: damage.index.map { "Entry \($0)" } ?? "Hashes",
                address: damage.index.flatMap { $0 < report.size ? "\(list)/\($0)" : nil }, kind: damage.kind.words,
                message: damage.message, code: damage.code ?? "", time: Moment(damage.time))
        }
        hasDamages = !damages.isEmpty
        let more = report.damageCount - report.damages.count
        further = more > 0 ? "and \(more.grouped) further" : nil
    }
}

extension AuditDamage.Kind {
    /// What happened, for people.
    var words: String {
        switch self {
        case .edited: "Changed"
        case .deleted: "Removed"
        case .reordered: "Moved"
        case .added: "Added"
        case .truncated: "Cut off"
        case .rolledBack: "Put back"
        case .forgedCheckpoint: "Checkpoint not signed"
        case .treeEdited: "Hashes changed"
        }
    }
}
