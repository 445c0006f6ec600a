extension StringProtocol {
    /// Whether the other text is written with the same bytes.
    ///
    /// `==` takes texts for equal that look alike, such as é as one scalar and as two (Unicode Standard Annex 15). Devices,
    /// databases and directories go by bytes, so what is written to them or allowed by them does, too.
    public func hasSameBytes(as other: some StringProtocol) -> Bool { utf8.elementsEqual(other.utf8) }
}

extension JSONValue {
    /// Whether both have the same canonical text: strings and the names of members are compared by their bytes.
    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.hasSameBytes(as: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)):
            left.count == right.count
                && left.allSatisfy { name, value in
                    guard let index = right.index(forKey: name) else { return false }
                    return right[index].key.hasSameBytes(as: name) && right[index].value == value
                }
        default: false
        }
    }
}
