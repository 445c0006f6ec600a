import Audit
import Base
import Fleet
import HTTPTypes
import Testing

@testable import Console

/// What a browser loads for a page, all together.
@Suite("The console's budget")
struct ConsoleBudgetTests {
    @Test("each core page stays within 75 KB packed, 20 KB of script and six requests, with all that it loads")
    func pages() async throws {
        try await ConsoleFixture.with(.sqlite) { world in
            for number in 0..<60 {
                _ = try await world.api.world.register("meter-\(number)") { $0.components = ["system": "1.\(number)"] }
            }
            try await world.api.world.audit.settle()
            var fields: HTTPFields = [:]
            fields[.acceptEncoding] = "gzip"
            let paths = [
                "", "/devices", "/devices/meter-1", "/devices/connect", "/devices/import", "/audit", "/audit/0",
                "/audit/sessions", "/audit/verification", "/reports", "/reports/versions", "/reports/access",
            ]
            for path in paths {
                let page = try await world.get("/t/acme" + path, as: "admin", headers: fields)
                #expect(page.status == 200 && page.headers[.contentEncoding] == "gzip", "\(path)")
                let html = try await world.get("/t/acme" + path, as: "admin").text
                let addresses = Set(html.matches(of: /\/assets\/[a-zA-Z0-9.-]+/).map { String($0.output) })
                var (total, script) = (page.bytes.count, 0)
                for address in addresses {
                    let bytes = try await world.get(address, headers: fields).bytes.count
                    total += bytes
                    if address.hasSuffix(".js") { script += bytes }
                }
                #expect(total <= 75 << 10, "\(path): \(total) bytes")
                #expect(script <= 20 << 10, "\(path): \(script) bytes of script")
                #expect(addresses.count <= 5, "\(path): with the page itself at most six requests")
            }
        }
    }
}
