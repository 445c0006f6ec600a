package import Storage

/// Grows a statement and its arguments together, so that no value is ever written into the text.
package struct SQLBuilder {
    /// The values, in the order of their parameters.
    package private(set) var arguments: [any SQLBindable] = []

    /// An empty statement.
    package init() {}

    /// The parameter that stands for `value`; `$1` is the tenant.
    package mutating func bind(_ value: any SQLBindable) -> String {
        arguments.append(value)
        return "$\(arguments.count + 1)"
    }
}
