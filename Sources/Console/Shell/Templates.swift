import Base
import Mustache

/// The templates of all pages, read once at the start.
struct Templates: Sendable {
    private let library: MustacheLibrary

    /// The templates that are built into the program.
    init() throws {
        MustacheContentTypes.register(EscapedHTML(), named: "HTML")
        var library = MustacheLibrary()
        for (path, bytes) in EmbeddedFiles.all where path.hasPrefix("templates/") {
            let name = String(path.dropFirst("templates/".count).prefix { $0 != "." })
            try library.register("{{% CONTENT_TYPE:HTML}}\n" + String(decoding: bytes, as: UTF8.self), named: name)
        }
        self.library = library
    }

    /// The page that `view` makes within `frame`.
    func render(_ view: any PageView, in frame: Frame) -> String {
        let name = type(of: view).template
        guard let text = library.render(Sheet(frame: frame, page: view), withTemplate: name) else {
            preconditionFailure("the page table's test has seen the template \(name)")
        }
        return text
    }
}

/// HTML with its values escaped by bytes. Mustache's own goes by characters and lets a quotation mark through that has an
/// accent behind it; as it is what a template gets that names no type, every template names this one.
private struct EscapedHTML: MustacheContentType {
    func escapeText(_ text: String) -> String { text.markupEscaped }
}

/// What a template sees: `frame` is around every page, `page` is its own.
struct Sheet: Sendable {
    let frame: Frame
    let page: any PageView
}
