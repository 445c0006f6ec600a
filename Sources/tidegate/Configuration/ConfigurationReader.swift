import Foundation
import Yams

/// Reads the YAML file, then the environment over it; an unknown key is an error that names the nearest known one.
enum ConfigurationReader {
    static func read(file: String?, environment: [String: String]) throws -> Configuration {
        var configuration = Configuration()
        if let file {
            guard let text = FileManager.default.contents(atPath: file).map({ String(decoding: $0, as: UTF8.self) }) else {
                throw ConfigurationError("\(file): can not be read")
            }
            for (key, value) in try flatten(text, file: file) {
                try apply(key, value, from: "\(file): \(key)", to: &configuration)
            }
        }
        for setting in Setting.all {
            guard let value = environment[setting.variable] else { continue }
            try apply(setting.key, value, from: setting.variable, to: &configuration)
        }
        if (configuration.peopleCertificate == nil) != (configuration.peopleKey == nil) {
            throw ConfigurationError("tls.people.certificate and tls.people.key belong together: give both or neither")
        }
        return configuration
    }

    private static func apply(_ key: String, _ value: String, from place: String, to configuration: inout Configuration) throws {
        guard let setting = Setting.all.first(where: { $0.key == key }) else {
            let nearest = Setting.all.map(\.key).min { distance($0, key) < distance($1, key) } ?? ""
            throw ConfigurationError("\(place) is no known key; did you mean \(nearest)? `tidegate settings` lists all")
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
            case .sequence(let values): found.append((path, values.compactMap { $0.scalar?.string }.joined(separator: ",")))
            case .alias: throw ConfigurationError("\(file): \(path): aliases are not supported")
            }
        }
    }

    /// Levenshtein's distance, for the nearest key.
    static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right)
        var row = Array(0...right.count)
        for (i, character) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (character == other ? 0 : 1))
                diagonal = above
            }
        }
        return row[right.count]
    }
}
