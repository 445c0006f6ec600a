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

/// What a change would do to who can reach what, before it is made.
struct ReachPreview: Sendable {
    /// One whom it concerns.
    struct Person: Sendable {
        let who: String
        let lost: [String]
        let gained: [String]
    }

    let sentence: String
    let persons: [Person]
    let hasPersons: Bool
    let note: String?

    init(_ change: ReachChange, _ console: ConsoleParts) {
        let (losing, gaining, sessions) = (change.losing, change.gaining, change.sessions)
        func people(_ count: Int, _ one: String, _ many: String) -> String {
            "\(count.grouped) \(count == 1 ? "person or program \(one)" : "people or programs \(many)")"
        }
        var parts: [String] = []
        if losing > 0 { parts.append(people(losing, "loses access", "lose access")) }
        if gaining > 0 { parts.append(people(gaining, "gains access", "gain access")) }
        if parts.isEmpty {
            sentence = "Nobody loses or gains access."
        } else {
            var text = parts.joined(separator: ", ") + "."
            if losing > 0 {
                text +=
                    sessions == 0
                    ? " None of them is signed in."
                    : sessions == 1
                        ? " 1 open session loses it at once." : " \(sessions.grouped) open sessions lose it at once."
            }
            sentence = text
        }
        persons = change.differences.prefix(ConsoleLimits.siteRows).map { difference in
            Person(
                who: difference.name ?? console.foreign(difference.holder),
                lost: difference.lost.map(\.rawValue).sorted(), gained: difference.gained.map(\.rawValue).sorted())
        }
        let left = change.differences.count - persons.count
        note = left > 0 ? "and \(left.grouped) more" : nil
        hasPersons = !persons.isEmpty
    }

    /// The sample's.
    init(sentence: String, persons: [Person], note: String?) {
        (self.sentence, self.persons, self.note) = (sentence, persons, note)
        hasPersons = !persons.isEmpty
    }
}
