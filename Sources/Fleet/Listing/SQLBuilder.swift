import Storage

/// Grows a statement and its arguments together, so that no value is ever written into the text.
struct SQLBuilder {
    private(set) var arguments: [any SQLBindable] = []

    /// The parameter that stands for `value`; `$1` is the tenant.
    mutating func bind(_ value: any SQLBindable) -> String {
        arguments.append(value)
        return "$\(arguments.count + 1)"
    }
}
