import Foundation
import Testing

@testable import Console

/// Holds the list of pages that a real browser walks equal to the pages that there are.
@Suite("The console's pages")
struct ConsolePagesTests {
    /// `Acceptance/test_console_every_page.py` walks what this file lists, so that no page is forgotten there.
    @Test("the list of pages is the present one (TIDEGATE_UPDATE_SNAPSHOTS=1 writes it)")
    func list() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            let table = PageTable(world.console.parts, .of(world.console.parts.signIn), Assets())
            let paths = Set(table.pages.filter { $0.method == .get }.map(\.path)).sorted()
            let text = paths.joined(separator: "\n") + "\n"
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent()
            let file = root.appending(path: "Acceptance/data/pages.txt")
            if ProcessInfo.processInfo.environment["TIDEGATE_UPDATE_SNAPSHOTS"] != nil {
                try text.write(to: file, atomically: true, encoding: .utf8)
            }
            #expect(
                try String(contentsOf: file, encoding: .utf8) == text,
                "a page has come or gone: write the list anew, and give the browser's walk an address for it")
        }
    }
}
