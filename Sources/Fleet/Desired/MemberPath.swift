public import Base

/// Where a member stands in a document: the names on the way to it. Elements of arrays have no place of their own.
public struct MemberPath: Hashable, Sendable, Comparable {
    /// The names, the outermost first.
    public let steps: [String]

    /// The member at these names.
    init(_ steps: [String]) { self.steps = steps }

    /// The member that a JSON pointer (RFC 6901) names; nil when the text is none, or none of a document's depth.
    public init?(pointer: some StringProtocol) {
        // By scalars, as it is written: an accent at a name's beginning is no part of what stands before it.
        let scalars = pointer.unicodeScalars
        guard scalars.first == "/" else { return nil }
        var steps: [String] = []
        for escaped in scalars.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            // After each ~ stands a 0 or a 1.
            let parts = escaped.split(separator: "~", omittingEmptySubsequences: false)
            var step = String.UnicodeScalarView()
            if let first = parts.first { step.append(contentsOf: first) }
            for part in parts.dropFirst() {
                switch part.first {
                case "0": step.append("~")
                case "1": step.append("/")
                default: return nil
                }
                step.append(contentsOf: part.dropFirst())
            }
            steps.append(String(step))
        }
        guard steps.count <= FleetLimits.documentDepth else { return nil }
        self.steps = steps
    }

    /// The JSON pointer to the member.
    public var pointer: String { steps.map { "/" + $0.jsonPointerStep }.joined() }

    /// Whether one of the two members is the other, or stands within it.
    public func overlaps(_ other: MemberPath) -> Bool {
        other.steps.starts(with: steps) || steps.starts(with: other.steps)
    }

    /// The order of the names.
    public static func < (left: Self, right: Self) -> Bool { left.steps.lexicographicallyPrecedes(right.steps) }
}

extension [String: JSONValue] {
    /// The member at a path; setting it makes the objects on the way, and nil takes it away.
    subscript(path: MemberPath) -> JSONValue? {
        get { Self.member(of: self, path.steps[...]) }
        set { Self.set(newValue, in: &self, path.steps[...]) }
    }

    /// Sets the member at a path and makes the objects on the way; nil takes it away.
    public mutating func setMember(_ value: JSONValue?, at path: MemberPath) { self[path] = value }

    /// Takes the member at a path away, and the objects on the way that have nothing left by it.
    public mutating func removeMember(at path: MemberPath) {
        guard self[path] != nil else { return }
        self[path] = nil
        var steps = path.steps.dropLast()
        while !steps.isEmpty, self[MemberPath(Array(steps))] == [:] {
            self[MemberPath(Array(steps))] = nil
            steps = steps.dropLast()
        }
    }

    private static func member(of members: Self, _ steps: ArraySlice<String>) -> JSONValue? {
        guard let first = steps.first, let value = members[first] else { return nil }
        if steps.count == 1 { return value }
        guard case .object(let inner) = value else { return nil }
        return member(of: inner, steps.dropFirst())
    }

    private static func set(_ value: JSONValue?, in members: inout Self, _ steps: ArraySlice<String>) {
        guard let first = steps.first else { return }
        if steps.count == 1 {
            members[first] = value
            return
        }
        var inner: Self = [:]
        if case .object(let present)? = members[first] { inner = present }
        if value == nil, inner.isEmpty { return }
        set(value, in: &inner, steps.dropFirst())
        members[first] = .object(inner)
    }

    /// Every value that is no object with members, with its path, in the order of the names.
    var leaves: [(path: MemberPath, value: JSONValue)] {
        var found: [(path: MemberPath, value: JSONValue)] = []
        Self.collect(self, under: [], into: &found)
        return found
    }

    private static func collect(
        _ members: Self, under steps: [String], into found: inout [(path: MemberPath, value: JSONValue)]
    ) {
        for (key, value) in members.sorted(by: { $0.key < $1.key }) {
            if case .object(let inner) = value, !inner.isEmpty, value != DesiredContent.placeholder {
                collect(inner, under: steps + [key], into: &found)
            } else {
                found.append((MemberPath(steps + [key]), value))
            }
        }
    }
}
