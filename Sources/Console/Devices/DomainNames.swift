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

/// A tenant's domains as people read them: a path from the top, the root by its own name.
struct DomainNames: Sendable {
    /// A domain that can be chosen.
    struct Choice: Sendable {
        let id: DomainID
        /// What the language of filters and the API call it.
        let path: String
        /// What people read.
        let label: String
    }

    /// All domains in the order of their paths, the topmost first.
    let choices: [Choice]
    private let labels: [DomainID: String]

    init(_ domains: [Domain]) {
        let byID = Dictionary(domains.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        choices = domains.map { domain in
            var names: [String] = []
            var next: Domain? = domain
            // A tree's depth is bounded; the count ends even a damaged one.
            while let current = next, names.count < 64 {
                next = current.parent.flatMap { byID[$0] }
                if current.parent != nil { names.insert(current.name, at: 0) }
            }
            let path = names.joined(separator: "/")
            return Choice(
                id: domain.id, path: domain.parent == nil ? domain.id.text : path,
                label: names.isEmpty ? domain.name : names.joined(separator: " / "))
        }.sorted { $0.label < $1.label }
        labels = Dictionary(choices.map { ($0.id, $0.label) }, uniquingKeysWith: { $1 })
    }

    /// What people read for a domain; nil when it is not theirs to see.
    func label(_ id: DomainID) -> String? { labels[id] }
}
