import Base
import Foundation
import Yams

/// Reads the YAML file, then the environment over it; an unknown key is an error that names the nearest known one.
enum ConfigurationReader {
    static func read(file: String?, environment: [String: String]) throws -> Configuration {
        var configuration = Configuration()
        if let file {
            guard let text = FileManager.default.contents(atPath: file).map({ String(decoding: $0, as: UTF8.self) })
            else {
                throw ConfigurationError("\(file): can not be read")
            }
            for (key, value) in try flatten(text, file: file) {
                try apply(key, value, from: "\(file): \(key)", to: &configuration)
            }
        }
        try refuseUnknown(environment)
        for setting in Setting.all {
            guard let value = environment[setting.variable] else { continue }
            try apply(setting.key, value, from: setting.variable, to: &configuration)
        }
        if (configuration.peopleCertificate == nil) != (configuration.peopleKey == nil) {
            throw ConfigurationError("tls.people.certificate and tls.people.key belong together: give both or neither")
        }
        if (configuration.administrator.address == nil) != (configuration.administrator.passwordFile == nil) {
            throw ConfigurationError(
                "administrator.address and administrator.passwordFile belong together: give both or neither")
        }
        return configuration
    }

    /// Variables of our name that are no settings: what the command line takes, and what tests use.
    static let otherVariables = [
        "TIDEGATE_DATA", "TIDEGATE_URL", "TIDEGATE_TOKEN", "TIDEGATE_CA", "TIDEGATE_LOGIN", "TIDEGATE_RECOVERY_KEY",
        "TIDEGATE_UPDATE_SNAPSHOTS", "TIDEGATE_BINARY",
    ]

    /// A misspelt variable would be a setting that silently does not hold, so it stops the start as in the file.
    private static func refuseUnknown(_ environment: [String: String]) throws {
        let known = Setting.all.map(\.variable) + otherVariables
        for name in environment.keys.sorted()
        where name.hasPrefix("TIDEGATE_") && !name.hasPrefix("TIDEGATE_TEST_") && !known.contains(name) {
            throw unknown("the environment's \(name) is no known variable", known.nearest(to: name))
        }
    }

    private static func unknown(_ what: String, _ nearest: String?) -> ConfigurationError {
        ConfigurationError("\(what); \(nearest.map { "did you mean \($0)? " } ?? "")`tidegate settings` lists all")
    }

    private static func apply(_ key: String, _ value: String, from place: String, to configuration: inout Configuration)
        throws
    {
        guard let setting = Setting.all.first(where: { $0.key == key }) else {
            throw unknown("\(place) is no known key", Setting.all.map(\.key).nearest(to: key))
        }
        do {
            try setting.apply(&configuration, value)
        } catch let error as ConfigurationError {
            throw ConfigurationError("\(place) \(error.description)")
        }
    }

    private static func flatten(_ text: String, file: String) throws -> [(String, String)] {
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw ConfigurationError("\(file): \(error)")
        }
        guard let node else { return [] }
        guard case .mapping(let mapping) = node else {
            throw ConfigurationError("\(file): the file must hold keys and values")
        }
        var found: [(String, String)] = []
        try flatten(mapping, prefix: "", file: file, into: &found)
        return found
    }

    private static func flatten(
        _ mapping: Node.Mapping, prefix: String, file: String, into found: inout [(String, String)]
    ) throws {
        for (key, value) in mapping {
            let path = prefix + (key.scalar?.string ?? "")
            switch value {
            case .scalar(let scalar): found.append((path, scalar.string))
            case .mapping(let inner): try flatten(inner, prefix: path + ".", file: file, into: &found)
            case .sequence(let values):
                found.append((path, values.compactMap { $0.scalar?.string }.joined(separator: ",")))
            case .alias: throw ConfigurationError("\(file): \(path): aliases are not supported")
            }
        }
    }
}
