import Audit
import Base

/// One message of syslog (RFC 5424) as it stands in a TLS stream, its length before it (RFC 5425).
struct SyslogLine: Sendable {
    /// How bad something is, in syslog's numbers.
    enum Severity: Int, Sendable {
        case warning = 4
        case informational = 6
    }

    /// "Log audit" in syslog's list of what messages are about.
    private static let facility = 13

    var severity: Severity
    var time: Timestamp
    var host: String
    /// The sort of message: an audit code.
    var sort: String
    /// Parameters of the structured element.
    var parameters: KeyValuePairs<String, String>
    var text: String

    /// The message with its length before it.
    var bytes: [UInt8] {
        var message = "<\(Self.facility * 8 + severity.rawValue)>1 \(time.rfc3339) \(Self.word(host, 255)) tidegate - "
        // 32473 is the enterprise number for documentation (RFC 5612): the element is this program's own.
        message += "\(Self.word(sort, 32)) [tidegate@32473"
        for (name, value) in parameters { message += " \(name)=\"\(Self.escaped(value))\"" }
        message += "] \(text)"
        let bytes = Array(message.utf8)
        return Array("\(bytes.count) ".utf8) + bytes
    }

    /// A header field's word: printable ASCII without spaces.
    private static func word(_ text: String, _ limit: Int) -> String {
        let kept = text.utf8.filter { (0x21...0x7E).contains($0) }.prefix(limit)
        return kept.isEmpty ? "-" : String(decoding: kept, as: UTF8.self)
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            if "\"\\]".unicodeScalars.contains(scalar) { text.unicodeScalars.append("\\") }
            text.unicodeScalars.append(scalar)
        }
        return text
    }
}

extension SyslogLine {
    /// The line for an entry of a tenant's log. An entry whose details make it too long is sent without them.
    init(_ entry: RecordedEntry, tenant: String, host: String) {
        self.init(
            severity: entry.outcome == .success ? .informational : .warning, time: entry.time, host: host,
            sort: entry.code,
            parameters: ["tenant": tenant, "index": String(entry.index), "id": entry.id.text],
            text: entry.document.canonical)
        guard text.utf8.count > DeliveryLimits.syslogBytes - 1024 else { return }
        var shorter = entry
        shorter.details = ["omittedBytes": .integer(Int64(entry.details.canonical.utf8.count))]
        text = shorter.document.canonical
    }

    /// The line for a signed checkpoint of a tenant's log.
    init(_ checkpoint: KeptCheckpoint, tenant: String, host: String) {
        self.init(
            severity: .informational, time: checkpoint.made, host: host, sort: "checkpoint",
            parameters: ["tenant": tenant, "size": String(checkpoint.size)],
            text: JSONValue.object(["size": .integer(checkpoint.size), "note": .string(checkpoint.note)]).canonical)
    }
}

extension RecordedEntry {
    /// The entry as it leaves the server, in a line of syslog or as a webhook's data.
    var document: JSONValue {
        var actor: [String: JSONValue] = ["kind": .string(self.actor.kind.rawValue), "id": .string(self.actor.id)]
        if !self.actor.name.isEmpty { actor["name"] = .string(self.actor.name) }
        actor["credential"] = self.actor.credential.map { .string($0) }
        actor["address"] = self.actor.address.map { .string($0) }
        actor["home"] = self.actor.home.map { .string($0.text) }
        var members: [String: JSONValue] = [
            "index": .integer(index), "id": .string(id.text), "time": .string(time.rfc3339), "code": .string(code),
            "outcome": .string(outcome.rawValue), "actor": .object(actor),
            "object": ["kind": .string(object.kind), "id": .string(object.id)], "details": details,
        ]
        members["domain"] = domain.map { .string($0.text) }
        return .object(members)
    }
}
