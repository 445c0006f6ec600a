import Base
import Synchronization

/// Counts what was refused until it is written, in bounded memory: an attacker fills neither it nor the log.
final class Refusals: Sendable {
    private struct Source: Hashable {
        var tenant: TenantID?
        var source: String
        var code: String
    }

    private struct Denial: Hashable {
        var tenant: TenantID
        var code: AuditCode
        var actor: Actor
        var object: AuditObject
        var details: JSONValue
    }

    private struct Count {
        var times: Int64 = 0
        var first: Timestamp
        var last: Timestamp
        var domain: DomainID?

        mutating func add(_ time: Timestamp) {
            times &+= 1
            last = max(last, time)
        }
    }

    private struct State {
        var sources: [Source: Count] = [:]
        var denials: [Denial: Count] = [:]
        /// Denials beyond the bound, by tenant.
        var furtherDenials: [TenantID: Count] = [:]
    }

    private let state = Mutex(State())

    /// Counts a caller without a valid credential.
    func add(source: String, code: String, tenant: TenantID?, at time: Timestamp) {
        state.withLock { state in
            var key = Source(tenant: tenant, source: source, code: code)
            if state.sources[key] == nil, state.sources.count >= Limits.refusalSources {
                // What does not fit is still counted by code. Codes come from the program, so they are few.
                key = Source(tenant: nil, source: Self.others, code: code)
            }
            state.sources[key, default: Count(first: time, last: time)].add(time)
        }
    }

    /// Counts an authenticated caller who was denied something.
    func add(denied entry: AuditEntry, at time: Timestamp) {
        let key = Denial(
            tenant: entry.tenant, code: entry.code, actor: entry.actor, object: entry.object, details: entry.details)
        let count = Count(first: time, last: time, domain: entry.domain)
        state.withLock { state in
            if state.denials[key] != nil || state.denials.count < Limits.denials {
                state.denials[key, default: count].add(time)
            } else if state.furtherDenials[entry.tenant] != nil || state.furtherDenials.count < Limits.denials {
                state.furtherDenials[entry.tenant, default: count].add(time)
            }
        }
    }

    /// Takes the entries that stand for the counted callers without a credential.
    func takeSources() -> [AuditEntry] {
        let sources = state.withLock { state in
            defer { state.sources = [:] }
            return state.sources
        }
        return sources.map { key, count in
            AuditEntry(
                .refused, tenant: key.tenant ?? .platform,
                actor: .unknown(address: key.source == Self.others ? nil : key.source),
                object: AuditObject(kind: "refusal", id: key.code), outcome: .denied, time: count.last,
                details: [
                    "times": .integer(count.times), "first": .string(count.first.rfc3339),
                    "last": .string(count.last.rfc3339), "sources": key.source == Self.others ? "many" : "one",
                ])
        }
    }

    /// Takes the entries that stand for the counted denials.
    func takeDenials() -> [AuditEntry] {
        let (denials, further) = state.withLock { state in
            defer {
                state.denials = [:]
                state.furtherDenials = [:]
            }
            return (state.denials, state.furtherDenials)
        }
        let told = denials.map { key, count in
            var details: [String: JSONValue] = ["times": .integer(count.times), "first": .string(count.first.rfc3339)]
            if case .object(let members) = key.details { details.merge(members) { counted, _ in counted } }
            return AuditEntry(
                key.code, tenant: key.tenant, domain: count.domain, actor: key.actor, object: key.object,
                outcome: .denied, time: count.last, details: .object(details))
        }
        return told
            + further.map { tenant, count in
                AuditEntry(
                    .denied, tenant: tenant, actor: .system("audit"), object: AuditObject(kind: "refusal", id: "many"),
                    outcome: .denied, time: count.last,
                    details: ["times": .integer(count.times), "first": .string(count.first.rfc3339)])
            }
    }

    private static let others = ""
}
