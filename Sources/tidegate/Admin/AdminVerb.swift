import ArgumentParser
import Base

/// A command that talks to a server: it says what it does, this says what happens when that fails.
protocol AdminVerb: AsyncParsableCommand {
    var options: AdminOptions { get }
    func act(_ server: AdminClient) async throws
}

extension AdminVerb {
    mutating func run() async throws {
        do {
            try await act(AdminClient(try await options.target()))
        } catch let refusal as AdminRefusal {
            throw Self.ended(options.json ? refusal.problem.canonical : "Error: \(refusal)", code: 1)
        } catch let failure as AdminFailure {
            throw Self.ended("Error: \(failure)", code: failure.isUnreachable ? 2 : 1)
        }
    }

    private static func ended(_ message: String, code: Int32) -> ExitCode {
        AdminOutput.warn(message)
        return ExitCode(code)
    }

    /// Prints an object: as JSON, or with these members first.
    func show(_ value: JSONValue, first: [String] = ["id", "name"]) {
        AdminOutput.line(options.json ? value.canonical : AdminOutput.object(value, first: first))
    }

    /// Prints that something was done; programs get the object, or `{}`.
    func done(_ value: JSONValue, _ sentence: String) {
        AdminOutput.line(options.json ? (value == .null ? "{}" : value.canonical) : sentence)
    }

    /// Prints all pages of a list, or as many elements as wanted, as a table of these members.
    func list(
        _ server: AdminClient, _ path: AdminPath, _ columns: [String], limit: Int? = nil
    ) async throws {
        var items: [JSONValue] = []
        var next: String?
        repeat {
            let wanted = min((limit ?? .max) - items.count, 1000)
            var page = path.adding("limit", String(wanted))
            if let next { page = page.adding("after", next) }
            let answer = try await server.send(.get, page.text)
            if case .array(let more) = answer["items"] { items += more }
            next = answer["next"]?.string
        } while next != nil && items.count < limit ?? .max
        if options.json {
            AdminOutput.line(
                JSONValue.object(["items": .array(items), "next": next.map { .string($0) } ?? .null]).canonical)
        } else if items.isEmpty {
            AdminOutput.warn("There is nothing to list.")
        } else {
            AdminOutput.line(
                AdminOutput.table(columns, items.map { item in columns.map { AdminOutput.cell(item.member($0)) } }))
        }
    }
}

/// The address of a request, put together from steps and query values that are escaped here.
struct AdminPath: ExpressibleByStringInterpolation {
    private(set) var text: String

    init(stringLiteral value: String) { text = value }

    init(stringInterpolation: Interpolation) { text = stringInterpolation.text }

    /// Escapes every interpolated value as one step.
    struct Interpolation: StringInterpolationProtocol {
        var text = ""

        init(literalCapacity: Int, interpolationCount: Int) {}

        mutating func appendLiteral(_ literal: String) { text += literal }

        mutating func appendInterpolation(_ step: String) { text += step.percentEncoded }
    }

    /// The address with one more query value; the same when there is none.
    func adding(_ name: String, _ value: String?) -> AdminPath {
        guard let value else { return self }
        var path = self
        path.text += (text.contains("?") ? "&" : "?") + name.percentEncoded + "=" + value.percentEncoded
        return path
    }
}

/// A word of the form `key=value` on the command line.
struct KeyAndValue: ExpressibleByArgument {
    let key: String
    let value: String

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { return nil }
        key = String(parts[0])
        value = String(parts[1])
    }
}

extension [KeyAndValue] {
    /// The words as a JSON object.
    var json: JSONValue { .object(Dictionary(map { ($0.key, .string($0.value)) }, uniquingKeysWith: { $1 })) }
}

extension JSONValue {
    /// The member at a path of names with dots between, such as `presence.online`.
    fileprivate func member(_ path: String) -> JSONValue? {
        path.split(separator: ".").reduce(JSONValue?.some(self)) { $0?[String($1)] }
    }

    /// An object of the members that are there.
    static func given(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
        var object: [String: JSONValue] = [:]
        for (name, value) in members { object[name] = value }
        return .object(object)
    }

    /// A string, or nil for nil.
    static func text(_ text: String?) -> JSONValue? { text.map { .string($0) } }

    /// A whole number, or nil for nil.
    static func whole(_ number: Int?) -> JSONValue? { number.map { .integer(Int64($0)) } }
}
