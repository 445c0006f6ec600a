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

/// Which entries of the log are shown, as the address says it.
struct AuditSelection: Sendable, Hashable {
    /// How the code begins: `device.` or a whole code.
    var type: String?
    /// Who did it: a name or an identifier.
    var who: String?
    /// The credential it was done with.
    var session: String?
    /// What it was done to: `kind:identifier`.
    var subject: String?
    /// The device it was done to, by name or identifier.
    var device: String?
    var outcome: AuditEntry.Outcome?
    /// The first and the last day on the organisation's clocks.
    var from: String?
    var to: String?
    var cursor: String?

    init() {}

    /// The selection that an address spells.
    init(_ fields: FormFields) {
        func field(_ name: String) -> String? {
            fields.text(name).flatMap { $0.utf8.count <= ConsoleLimits.auditFieldBytes ? $0 : nil }
        }
        type = field("type")
        who = field("who")
        session = field("session")
        subject = field("subject")
        device = field("device")
        outcome = field("outcome").flatMap { AuditEntry.Outcome(rawValue: $0) }
        from = field("from")
        to = field("to")
        cursor = field("cursor")
    }

    /// The fields that are not as usual.
    var fields: [(name: String, value: String)] {
        let all: [(String, String?)] = [
            ("type", type), ("who", who), ("session", session), ("subject", subject), ("device", device),
            ("outcome", outcome?.rawValue), ("from", from), ("to", to), ("cursor", cursor),
        ]
        return all.compactMap { name, value in value.map { (name, $0) } }
    }

    /// The address's query, with its question mark; empty when all is as usual.
    var query: String {
        let fields = fields
        return fields.isEmpty
            ? "" : "?" + fields.map { "\($0.name)=\($0.value.percentEncoded)" }.joined(separator: "&")
    }

    /// The same with a change, from its first page.
    func with(_ change: (inout AuditSelection) -> Void) -> AuditSelection {
        var result = self
        result.cursor = nil
        change(&result)
        return result
    }

    /// What the log is asked for; names are looked up for the visitor. What is wrong is refused in a sentence.
    func filter(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> AuditFilter {
        let (access, tenant) = (console.access, visit.tenant.id)
        var filter = AuditFilter(codePrefix: type, credential: session, outcome: outcome)
        if let subject {
            let parts = subject.split(separator: ":", maxSplits: 1).map(String.init)
            filter.objectKind = parts.first
            filter.objectID = parts.count > 1 ? parts[1] : nil
        }
        let (who, device) = (who, device)
        let (actor, object) = try await console.database.tenant(tenant).read { tx -> (String?, String?) in
            let actor = try who.map { text in
                // A name of somebody here, or else what the log calls them: an identifier, a part of the server.
                do {
                    return try access.findPrincipal(text, in: tx).id.text
                } catch let refusal as Refusal where refusal.kind == .notFound {
                    return text
                }
            }
            let object = try device.map { text in
                if let id = DeviceID(text: text) { return id.text }
                guard let found = try Fleet.place(text, tx)?.device else {
                    throw Refusal(
                        .invalid, "audit.device",
                        "There is no device \(text). One that was deleted is found by its identifier.")
                }
                return found.text
            }
            return (actor, object)
        }
        filter.actor = actor
        if let object {
            filter.objectKind = "device"
            filter.objectID = object
        }
        filter.from = try from.map { try Self.moment($0, "From") }
        filter.to = try to.map { text in
            // A day is meant with its end.
            try Self.moment(text, "To", after: 1)
        }
        return filter
    }

    private static func moment(_ text: String, _ field: String, after days: Int64 = 0) throws -> Timestamp {
        guard let time = TypedTime.day(text, after: days) ?? Timestamp(rfc3339: text) else {
            throw Refusal(.invalid, "audit.time", "\(field) is a day such as 2026-11-21.")
        }
        return time
    }
}
