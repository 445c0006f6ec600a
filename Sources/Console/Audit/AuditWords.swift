import Audit

/// What the codes of the audit log mean, in the words of those who record them.
struct AuditWords: Sendable {
    /// A part of the program, or a kind of thing, with its codes.
    struct Group: Sendable {
        let name: String
        let codes: [AuditCode]
    }

    /// All codes, by the first word of their names.
    let groups: [Group]
    private let meanings: [String: String]

    init(_ codes: [AuditCode]) {
        meanings = Dictionary(codes.map { ($0.text, Self.short($0.meaning)) }, uniquingKeysWith: { $1 })
        groups = Dictionary(grouping: codes, by: { $0.text.prefix { $0 != "." } })
            .map { Group(name: String($0.key), codes: $0.value.sorted { $0.text < $1.text }) }
            .sorted { $0.name < $1.name }
    }

    /// What a code means; the code itself when nobody knows it any more.
    func meaning(_ code: String) -> String { meanings[code] ?? code }

    /// A sentence without its end: what comes after a semicolon is for the reader of one entry.
    private static func short(_ meaning: String) -> String {
        String(meaning.prefix { $0 != ";" }.drop { $0 == " " }.trimmingSuffix { $0 == "." })
    }
}

extension Substring {
    fileprivate func trimmingSuffix(_ isUnwanted: (Character) -> Bool) -> Substring {
        var rest = self
        while let last = rest.last, isUnwanted(last) { rest.removeLast() }
        return rest
    }
}
