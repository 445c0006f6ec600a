import Base
import Foundation
import Testing

@testable import Console

/// Holds every template against its view: Mustache leaves out, without a word, what it does not find.
@Suite("The console's templates")
struct ConsoleTemplateTests {
    static let folder = StructureTests.root.appending(path: "Sources/ConsoleFiles")

    static func names(in folder: String, _ ending: String) throws -> Set<String> {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.appending(path: folder).path)
        return Set(files.filter { $0.hasSuffix(ending) }.map { String($0.dropLast(ending.count)) })
    }

    static func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: "templates/\(name).mustache"), encoding: .utf8)
    }

    @Test("every file of the console is built into the program, as it is")
    func filesAreEmbedded() throws {
        for part in ["templates", "assets"] {
            for name in try Self.names(in: part, "") {
                let bytes = try [UInt8](Data(contentsOf: Self.folder.appending(path: "\(part)/\(name)")))
                #expect(
                    EmbeddedFiles.all["\(part)/\(name)"] == bytes,
                    "\(part)/\(name) has no entry in ConsoleFiles/files.c")
            }
        }
    }

    @Test("every block of the style sheet is closed, so that no rule counts on phones only by mistake")
    func stylesAreClosed() throws {
        let sheet = try String(contentsOf: Self.folder.appending(path: "assets/tidegate.css"), encoding: .utf8)
        var depth = 0
        for (number, line) in sheet.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            #expect(!line.hasPrefix("/*") || depth == 0, "line \(number + 1) begins a part inside a block")
            depth += line.count { $0 == "{" } - line.count { $0 == "}" }
        }
        #expect(depth == 0)
    }

    @Test("every template has a view in the samples, or is a part of others")
    func templatesAreSampled() throws {
        let sampled = Set(ConsoleSamples.views.map { type(of: $0).template })
        let parts = try Self.names(in: "templates", ".mustache").reduce(into: Set<String>()) { parts, name in
            for tag in try MustacheTags.all(in: Self.text(name)) {
                switch tag {
                case .partial(let name), .inherit(let name): parts.insert(name)
                default: continue
                }
            }
        }
        #expect(try Self.names(in: "templates", ".mustache") == sampled.union(parts))
    }

    @Test(
        "every name in a template is a stored property of what it is shown with",
        arguments: ConsoleSamples.views.indices)
    func namesExist(index: Int) throws {
        let view = ConsoleSamples.views[index]
        let sheet = Sheet(frame: ConsoleSamples.frame, page: view)
        var walk = MustacheWalk(text: Self.text)
        try walk.run(type(of: view).template, [sheet])
        #expect(walk.missing == [], "\(type(of: view))")
    }

    @Test("nothing is rendered unescaped, nothing is inline, nothing is loaded from elsewhere")
    func templatesAreStrict() throws {
        for name in try Self.names(in: "templates", ".mustache") {
            let text = try Self.text(name)
            for (pattern, reason) in [
                ("{{{", "triple braces do not escape"), ("{{&", "an ampersand does not escape"),
                (" style=", "the policy allows no inline style"), ("<style", "the policy allows no inline style"),
                (" onclick", "the policy allows no inline code"), ("javascript:", "the policy allows no inline code"),
                ("http://", "nothing is loaded from elsewhere"), ("%CONTENT_TYPE", "only HTML is escaped as HTML"),
            ] where text.contains(pattern) {
                Issue.record("\(name): \(pattern): \(reason)")
            }
            for script in text.components(separatedBy: "<script").dropFirst()
            where !script.hasPrefix(" type=\"module\" src=") {
                Issue.record("\(name): a script without its file")
            }
            for form in text.components(separatedBy: "method=\"post\"").dropFirst() {
                let body = form.components(separatedBy: "</form>")[0]
                if !name.hasPrefix("gate-"), !body.contains("form-token"), !body.contains("{{>token}}") {
                    Issue.record("\(name): a form without the visitor's token")
                }
            }
        }
    }

    @Test("every rule of the style sheet that begins a line stands outside of all blocks")
    func styleSheetIsWhole() throws {
        let text = try String(contentsOf: Self.folder.appending(path: "assets/tidegate.css"), encoding: .utf8)
        var depth = 0
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if let first = line.first, first != " ", first != "}" {
                #expect(depth == 0, "line \(index + 1) is within a block that was not closed")
            }
            depth += line.count { $0 == "{" } - line.count { $0 == "}" }
        }
        #expect(depth == 0)
    }

    @Test("what people write is shown as text")
    func escapes() throws {
        let error = ErrorPage(
            .init(.invalid, "x", "<script>alert(1)</script> & \"quotes\" 'too'"), request: "r", home: "/")
        let html = try Templates().render(error, in: ConsoleSamples.frame)
        #expect(!html.contains("<script>alert"))
        #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot; &#39;too&#39;"))
    }
}

/// One tag of a template.
enum MustacheTags: Equatable {
    case name(String), section(String), inverted(String), end(String), partial(String), inherit(String), block(String)

    static func all(in text: String) throws -> [MustacheTags] {
        try text.matches(of: Regex(#"\{\{([#^/>&$<]?)\s*([^}]+?)\s*\}\}"#)).map { match in
            let name = String(match.output[2].substring ?? "")
            return switch match.output[1].substring ?? "" {
            case "#": .section(name)
            case "^": .inverted(name)
            case "/": .end(name)
            case ">": .partial(name)
            case "<": .inherit(name)
            case "$": .block(name)
            default: .name(name)
            }
        }
    }
}

/// Follows a template through a sample of its view and notes each name that leads nowhere.
struct MustacheWalk {
    let text: (String) throws -> String
    var missing: Set<String> = []

    init(text: @escaping (String) throws -> String) { self.text = text }

    mutating func run(_ template: String, _ stack: [Any]) throws {
        var tags = try MustacheTags.all(in: text(template))[...]
        try follow(&tags, stack, template, until: nil)
    }

    private mutating func follow(
        _ tags: inout ArraySlice<MustacheTags>, _ stack: [Any], _ template: String, until end: String?
    ) throws {
        while let tag = tags.popFirst() {
            switch tag {
            case .name(let name): _ = find(name, stack, template)
            case .inverted(let name):
                _ = find(name, stack, template)
                try follow(&tags, stack, template, until: name)
            case .section(let name):
                let value = find(name, stack, template)
                let body = tags
                let mirror = value.map { Mirror(reflecting: $0) }
                if mirror?.displayStyle == .collection, let children = mirror?.children {
                    // A sample with an empty list would hide what is within.
                    if children.isEmpty { missing.insert("\(template): the sample's \(name) is empty") }
                    for child in children {
                        var inner = body
                        try follow(&inner, stack + [child.value], template, until: name)
                    }
                }
                try follow(
                    &tags,
                    mirror?.displayStyle == .collection
                        ? stack + [mirror?.children.first?.value ?? ""] : stack + [value ?? ""],
                    template, until: name)
            case .end(let name): if name == end { return }
            case .partial(let name): try run(name, stack)
            case .inherit(let name):
                try run(name, stack)
                try follow(&tags, stack, template, until: name)
            case .block(let name): try follow(&tags, stack, template, until: name)
            }
        }
    }

    private mutating func find(_ name: String, _ stack: [Any], _ template: String) -> Any? {
        if name == "." { return stack.last }
        let steps = name.split(separator: ".").map(String.init)
        for object in stack.reversed() {
            guard let first = child(steps[0], of: object) else { continue }
            var value = first
            for step in steps.dropFirst() {
                guard let next = child(step, of: value) else {
                    missing.insert("\(template): \(name)")
                    return nil
                }
                value = next
            }
            return value
        }
        missing.insert("\(template): \(name)")
        return nil
    }

    private func child(_ name: String, of object: Any) -> Any? {
        guard let value = Mirror(reflecting: object).children.first(where: { $0.label == name })?.value else {
            return nil
        }
        let mirror = Mirror(reflecting: value)
        guard mirror.displayStyle == .optional else { return value }
        // A sample without a value would hide what is within.
        return mirror.children.first?.value
    }
}
