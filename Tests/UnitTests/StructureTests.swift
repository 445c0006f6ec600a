import Foundation
import Testing

/// Holds the house of docs/architecture.md: who may import whom, and what may not stand in Sources at all.
@Suite("The structure of the house")
struct StructureTests {
    /// Each target with those of ours that it may import, from the bottom up.
    static let allowed: [(target: String, imports: Set<String>)] = [
        ("Base", []),
        ("Storage", ["Base", "CPostgres"]),
        ("Bus", ["Base"]),
        ("Blobs", ["Base"]),
        ("Trust", ["Base", "Storage"]),
        ("Audit", ["Base", "Storage", "Trust"]),
        ("Access", ["Base", "Storage", "Trust", "Audit"]),
        ("SignIn", ["Base", "Storage", "Trust", "Audit", "Access", "CArgon2", "CQREncode", "CLDAP"]),
        ("OAuth", ["Base", "Storage", "Trust", "Audit", "Access"]),
        ("Delivery", ["Base", "Storage", "Bus", "Trust", "Audit", "CCurl"]),
        ("Fleet", ["Base", "Storage", "Bus", "Trust", "Audit", "Access"]),
        ("Telemetry", ["Base", "Storage", "Bus", "Trust", "Audit", "Access", "Fleet", "CZstd", "CZlib"]),
        ("Operations", ["Base", "Storage", "Bus", "Blobs", "Trust", "Audit", "Access", "Fleet"]),
        (
            "Watch",
            ["Base", "Storage", "Bus", "Trust", "Audit", "Access", "Delivery", "Fleet", "Operations"]
        ),
        ("Backup", ["Base", "Blobs", "Storage", "Trust", "Audit", "Telemetry", "CZstd"]),
        ("MQTT", ["Base"]),
        ("Agent", ["Base", "MQTT", "CSpawn"]),
        (
            "Southbound",
            ["Base", "Bus", "Blobs", "Trust", "Audit", "Access", "Fleet", "Telemetry", "Operations", "MQTT"]
        ),
        (
            "Northbound",
            [
                "Base", "Storage", "Bus", "Blobs", "Trust", "Audit", "Access", "Delivery", "SignIn", "OAuth", "Fleet",
                "Telemetry", "Operations", "Watch",
            ]
        ),
        (
            "Console",
            [
                "Base", "Storage", "Bus", "Trust", "Audit", "Access", "Delivery", "SignIn", "OAuth", "Fleet",
                "Telemetry", "Operations", "Watch", "Northbound", "ConsoleFiles", "CZlib",
            ]
        ),
    ]

    /// Modules from outside that only one target, or none of the capabilities, may see.
    static let reserved: [(module: String, targets: Set<String>, reason: String)] = [
        ("CryptoExtras", ["Trust"], "other people's signatures are checked in one place"),
        ("GRDB", ["Storage"], "only Storage knows which engine runs"),
        ("CCurl", ["Delivery"], "everything that is sent out leaves by one queue"),
        ("CPostgres", ["Storage"], "only Storage knows which engine runs"),
        ("NIOHTTP1", ["Southbound", "Northbound", "Agent", "tidegate"], "capabilities know no HTTP"),
        ("Hummingbird", ["Northbound", "Console"], "capabilities and the device side know no web framework"),
        ("NIOSSL", ["Southbound", "Northbound", "Agent", "tidegate"], "capabilities know no TLS"),
        ("X509", ["Trust", "Southbound", "Agent", "tidegate"], "certificates are Trust's"),
        ("Mustache", ["Console"], "only the console renders pages"),
        ("ArgumentParser", ["tidegate"], "only the program reads its command line"),
        ("Yams", ["tidegate"], "only the program reads its configuration"),
    ]

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    struct Line {
        var file: String
        var number: Int
        var text: Substring
    }

    static func lines(under folder: String) -> [Line] {
        let base = root.appending(path: folder)
        let files = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil)
        var lines: [Line] = []
        for case let file as URL in files ?? .init() where file.pathExtension == "swift" {
            let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
            let name = file.path.replacingOccurrences(of: root.path + "/", with: "")
            for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                lines.append(Line(file: name, number: index + 1, text: line))
            }
        }
        return lines
    }

    static func importedModule(_ line: Substring) -> String? {
        let words = line.split(separator: " ").filter {
            !$0.hasPrefix("@") && !["public", "internal", "package"].contains($0)
        }
        guard words.first == "import", words.count >= 2 else { return nil }
        let name =
            ["struct", "class", "enum", "func", "protocol"].contains(words[1]) && words.count > 2 ? words[2] : words[1]
        return String(name.split(separator: ".")[0])
    }

    @Test("every target imports only what lies below it", arguments: allowed.map(\.target))
    func importsPointDownward(target: String) {
        let own = Set(
            Self.allowed.map(\.target) + [
                "CPostgres", "CZstd", "CZlib", "CArgon2", "CQREncode", "CCurl", "CSpawn", "ConsoleFiles",
            ])
        let imports = Self.allowed.first { $0.target == target }?.imports ?? []
        for line in Self.lines(under: "Sources/\(target)") {
            guard let module = Self.importedModule(line.text), own.contains(module), module != target else { continue }
            #expect(
                imports.contains(module),
                "\(line.file):\(line.number): \(target) must not import \(module): imports point downward in docs/architecture.md"
            )
        }
    }

    @Test("modules from outside stay with the target that owns the matter", arguments: reserved.map(\.module))
    func reservedModules(module: String) {
        guard let rule = Self.reserved.first(where: { $0.module == module }) else { return }
        for line in Self.lines(under: "Sources") where Self.importedModule(line.text) == module {
            let target = String(line.file.split(separator: "/")[1])
            #expect(
                rule.targets.contains(target),
                "\(line.file):\(line.number): \(target) must not import \(module): \(rule.reason)")
        }
    }

    /// Built from parts so that this file does not find itself.
    static let forbidden: [(pattern: String, reason: String)] = [
        ("try" + "!", "an error from outside must not stop the server"),
        (" as" + "! ", "a wrong type must not stop the server"),
        ("fatal" + "Error(", "say with preconditionFailure why no input reaches it"),
        ("TO" + "DO", "finish it, or write it in the issue"),
        ("FIX" + "ME", "finish it, or write it in the issue"),
        ("FileHandle.standard" + "Error", "it traps when nobody takes the text: use StandardStream"),
        ("FileHandle.standard" + "Output", "it traps when nobody takes the text: use StandardStream"),
        ("-O" + "unchecked", "overflow must trap, not corrupt"),
    ]

    @Test("nothing in Sources can trap on input or is left open", arguments: forbidden.map(\.pattern))
    func forbiddenText(pattern: String) {
        let reason = Self.forbidden.first { $0.pattern == pattern }?.reason ?? ""
        for line in Self.lines(under: "Sources") where line.text.contains(pattern) {
            Issue.record("\(line.file):\(line.number): \(pattern): \(reason)")
        }
    }

    @Test("codes for programs and for the audit are spelt in one way: words.inCamelCase")
    func codesHaveOneSpelling() throws {
        let code = try Regex(#"(?:Refusal\(\s*\.\w+,|AuditCode\(|^\s*\.\w+,|case \w+ =) "([a-z][^"\\ /]*\.[^"\\ /]+)""#)
        let spelling = try Regex(#"[a-z][a-zA-Z0-9]*(\.[a-z][a-zA-Z0-9]*)+"#)
        var seen = 0
        for line in Self.lines(under: "Sources") {
            // OAuth's own error names are RFC 6749's.
            guard let found = line.text.firstMatch(of: code)?.output[1].substring, !found.hasPrefix("oauth.invalid_")
            else { continue }
            seen += 1
            #expect(found.wholeMatch(of: spelling) != nil, "\(line.file):\(line.number): \(found)")
        }
        #expect(seen > 200, "the pattern finds the codes")
    }

    @Test("tasks have an owner: no unstructured task outside the programs")
    func noUnstructuredTasks() throws {
        let task = try Regex(#"(^|[^.A-Za-z])Task(\.detached)? *(\(.*\))? *\{"#)
        for line in Self.lines(under: "Sources") where !line.file.hasPrefix("Sources/tidegate") {
            if line.text.firstMatch(of: task) != nil, !line.text.trimmingCharacters(in: .whitespaces).hasPrefix("//") {
                Issue.record("\(line.file):\(line.number): nobody cancels and awaits this task")
            }
        }
    }

    @Test("every public name has its sentence")
    func publicNamesAreDocumented() throws {
        let declaration = try Regex(
            #"^\s*(@\w+(\(.*\))? )*(public|package) (static |final |mutating |nonisolated |borrowing |consuming |indirect )*(func|var|let|struct|class|enum|actor|protocol|typealias|init|subscript|case)\b"#
        )
        for target in Self.allowed.map(\.target) {
            var previous: [String: Substring] = [:]
            for line in Self.lines(under: "Sources/\(target)") {
                let trimmed = line.text.drop { $0 == " " }
                let isAttribute =
                    trimmed.hasPrefix("@") && trimmed.wholeMatch(of: declaration) == nil && !trimmed.contains("public ")
                if line.text.firstMatch(of: declaration) != nil {
                    let before = previous[line.file] ?? ""
                    let inherited = [
                        "==", "<", "encode(to", "init(from", "hash(into", "description", "makeAsyncIterator",
                        "sqlValue", "customMirror", "stringLiteral", "integerLiteral", "booleanLiteral", "arrayLiteral",
                        "dictionaryLiteral", "Element", "typealias",
                    ]
                    .contains { line.text.contains($0) }
                    if !before.hasPrefix("///"), !inherited {
                        Issue.record("\(line.file):\(line.number): a public name without its sentence: \(trimmed)")
                    }
                }
                if !isAttribute { previous[line.file] = trimmed }
            }
        }
    }

    @Test("a file is one concept: none is longer than 600 lines")
    func fileLength() {
        let counts = Dictionary(grouping: Self.lines(under: "Sources"), by: \.file).mapValues(\.count)
        for (file, count) in counts where count > 600 { Issue.record("\(file): \(count) lines") }
    }
}
