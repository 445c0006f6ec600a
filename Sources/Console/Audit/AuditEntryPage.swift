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

/// One entry of the log with everything that it says, and with what proves it.
struct AuditEntryPage: PageView {
    static let template = "audit-entry"
    static let menu: MenuItem? = .audit

    /// A further list that an entry leads to.
    struct Way: Sendable {
        let label: String
        let address: String
    }

    /// The signed checkpoint that speaks for the entry.
    struct Proof: Sendable {
        let size: String
        let root: String
        let time: Moment?
        let note: String
        /// The hashes beside the way up to the root.
        let path: [String]
        let hasPath: Bool
    }

    let title: String
    let code: String
    let list: String
    let badge: Badge
    let facts: [DeviceView.Fact]
    let details: [DeviceView.Fact]
    let hasDetails: Bool
    let isShredded: Bool
    let ways: [Way]
    let place: String
    let hash: String
    let standing: Badge
    let standingText: String
    let proof: Proof?
    let older: String?
    let newer: String?
}

extension AuditEntryPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        try await console.authorizeAudit(visit)
        guard let index = Int64(visit.path("entry")), index >= 0 else { throw Gatekeeper.notHere }
        let evidence = try await console.audit.evidence(
            of: index, tenant: visit.tenant.id, reader: visit.principal.actor(in: visit.tenant.id))
        let entry = evidence.entry
        let words = console.auditWords
        let names = try await AuditNames([entry], console, visit)
        let span = AuditSpan(entry, names)
        let list = "\(visit.home)/audit"
        self.list = list
        title = words.meaning(entry.code)
        code = entry.code
        badge = Badge(entry, span)
        let actor = entry.actor
        facts = [
            .init("Start", time: Moment(span.start)), .init("End", time: Moment(span.end)),
            .init("Duration", span.words.isEmpty ? nil : span.words), .init("Creator", actor.words),
            .init("Kind", actor.kind.words), .init("Identifier", actor.id.isEmpty ? nil : actor.id),
            .init("Company", names.company(actor).isEmpty ? nil : names.company(actor)),
            .init("Address", actor.address), .init("Credential", actor.credential),
            .init("Subject", "\(entry.object.kind) \(names.subject(entry.object))"),
            .init("Subject's identifier", entry.object.id),
            .init("Domain", entry.domain?.text),
        ].filter { !$0.isEmpty }
        details = Self.facts(entry.details)
        hasDetails = !details.isEmpty
        isShredded = entry.isShredded
        ways = Self.ways(entry, names, visit.home)
        place = String(index)
        hash = evidence.hash.description
        (standing, standingText) =
            switch evidence.standing {
            case .proved:
                (.good("Proved"), "A signed checkpoint leads to exactly this content: it is as it was recorded.")
            case .unsigned:
                (
                    .warning("Not signed for yet"),
                    "The content is what was hashed. The next checkpoint, within ten seconds, signs for it."
                )
            case .broken:
                (
                    .critical("Not as recorded"),
                    "The content or its proof was changed. Verify the whole log to see how far."
                )
            }
        proof = evidence.proof.map { proof in
            Proof(
                size: Int(proof.size).grouped, root: proof.root?.description ?? "",
                time: Moment(evidence.signed), note: proof.checkpoint, path: proof.path.map(\.description),
                hasPath: !proof.path.isEmpty)
        }
        older = evidence.older.map { "\(list)/\($0)" }
        newer = evidence.newer.map { "\(list)/\($0)" }
    }

    private static func ways(_ entry: RecordedEntry, _ names: AuditNames, _ home: String) -> [Way] {
        var ways: [Way] = []
        func add(_ label: String, _ change: (inout AuditSelection) -> Void) {
            ways.append(Way(label: label, address: "\(home)/audit" + AuditSelection().with(change).query))
        }
        if let address = names.address(entry.object, home: home) {
            ways.append(Way(label: "To the device", address: address))
        }
        if entry.code == AuditCode.sessionOpened.text {
            add("What was done in this session") { $0.session = entry.object.id }
        }
        if let credential = entry.actor.credential, entry.object.id != credential {
            add("All with this credential") { $0.session = credential }
        }
        if !entry.actor.id.isEmpty { add("All by \(entry.actor.words)") { $0.who = entry.actor.id } }
        if !entry.object.id.isEmpty, entry.object.kind != "audit" {
            add("All about this \(entry.object.kind)") { $0.subject = "\(entry.object.kind):\(entry.object.id)" }
        }
        add("All of this type") { $0.type = entry.code }
        return ways
    }

    private static func facts(_ details: JSONValue) -> [DeviceView.Fact] {
        guard case .object(let members) = details else { return [] }
        return members.sorted { $0.key < $1.key }.map { name, value in
            if let text = value.string {
                if let time = Timestamp(rfc3339: text) { return .init(name, time: Moment(time)) }
                return .init(name, text)
            }
            if case .array(let parts) = value, parts.allSatisfy({ $0.string != nil }) {
                return .init(name, tags: parts.compactMap(\.string))
            }
            return .init(name, value.canonical)
        }.filter { !$0.isEmpty }
    }
}

extension Actor.Kind {
    /// Its word for people.
    var words: String {
        switch self {
        case .user: "Person"
        case .client: "Program"
        case .device: "Device"
        case .system: "Server"
        case .unknown: "Unknown"
        }
    }
}
