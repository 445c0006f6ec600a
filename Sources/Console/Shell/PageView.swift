/// What one template shows: a value whose stored properties are the template's names.
///
/// Mustache leaves a name out that it does not find, without a word, so a test holds every template against its view.
/// Computed properties do not count: the renderer sees stored ones only.
package protocol PageView: Sendable {
    /// The template's name: its file's, without the ending.
    static var template: String { get }
    /// The page's title.
    var title: String { get }
    /// What stands lit in the menu; nil for pages outside of it.
    static var menu: MenuItem? { get }
}

extension PageView {
    /// Nothing, unless a page says otherwise.
    package static var menu: MenuItem? { nil }
}
