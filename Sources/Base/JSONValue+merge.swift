extension JSONValue {
    /// This value after a merge patch (RFC 7396): what the patch has takes the place of what was there, objects are
    /// merged member by member, and null takes a member away.
    ///
    /// It recurses as deep as the patch nests, which whoever parsed the patch has bounded.
    public func merged(with patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var members: [String: JSONValue] = if case .object(let own) = self { own } else { [:] }
        for (key, change) in changes {
            members[key] = change == .null ? nil : (members[key] ?? .null).merged(with: change)
        }
        return .object(members)
    }
}
