import Base
import Testing

/// Texts within other texts. Swift compares characters, and an accent makes another one of what stands before it; who reads
/// the result compares bytes.
@Suite("Texts within markup and lists")
struct MarkupTextTests {
    @Test(
        "nothing that means something is left, whatever stands behind it",
        arguments: [
            ("a & b", "a &amp; b"), ("<b>", "&lt;b&gt;"), ("\"it's\"", "&quot;it&#39;s&quot;"),
            ("\"\u{301} onfocus=x", "&quot;\u{301} onfocus=x"), ("<\u{338}b>", "&lt;\u{338}b&gt;"),
            ("&\u{20DD}amp;", "&amp;\u{20DD}amp;"), ("Zählerstand 7 \u{1F50C}", "Zählerstand 7 \u{1F50C}"), ("", ""),
        ])
    func markup(text: String, expected: String) { #expect(Array(text.markupEscaped.utf8) == Array(expected.utf8)) }

    @Test(
        "a cell is quoted when it must be, and each quotation mark in it is doubled",
        arguments: [
            ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"no\"", "\"say \"\"no\"\"\""), ("=1+1", "'=1+1"),
            ("\"\u{301},=x", "\"\"\"\u{301},=x\""), ("line\r\nbreak", "\"line\r\nbreak\""), ("", ""),
        ])
    func cell(text: String, expected: String) { #expect(Array(CSVCell.text(text).utf8) == Array(expected.utf8)) }
}
