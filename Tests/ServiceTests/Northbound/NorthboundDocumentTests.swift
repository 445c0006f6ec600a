import Base
import Foundation
import HTTPTypes
import Testing

@testable import Northbound

/// Holds the OpenAPI document to the routes that serve, and to the copy that is reviewed.
@Suite struct NorthboundDocumentTests {
    @Test("the document describes exactly the routes that serve, each operation once")
    func agrees() async throws {
        try await NorthboundFixture.with(.sqlite) { api in
            let reply = try await api.send(.get, "/api/v1/openapi.json", token: "none")
            #expect(reply.status == 200)
            guard case .object(let paths) = reply.body["paths"] else { throw Refusal(.invalid, "test", "no paths") }
            var described: Set<String> = []
            for (path, item) in paths {
                guard case .object(let members) = item else { continue }
                for method in members.keys where method != "parameters" { described.insert("\(method) \(path)") }
            }
            #expect(described == Set(api.table.routes.map { "\($0.method.rawValue.lowercased()) \($0.path)" }))
            #expect(described.count == api.table.routes.count)
            #expect(Set(api.table.routes.map(\.operation)).count == api.table.routes.count)
        }
    }

    @Test("each route's path parameters are known, and its summary is a sentence")
    func described() async throws {
        try await NorthboundFixture.with(.sqlite) { api in
            for route in api.table.routes {
                #expect(route.summary.hasSuffix(".") && route.summary.first?.isUppercase == true, "\(route.operation)")
                for name in route.pathParameters { #expect(RouteTable.pathParameter(name) != nil, "\(route.path)") }
                if route.isInTenant {
                    guard case .permission = route.requirement else {
                        Issue.record("\(route.operation) is in a tenant and needs no permission")
                        continue
                    }
                }
            }
            let open = api.table.routes.filter { $0.requirement == .unauthenticated }.map(\.operation)
            #expect(open.sorted() == ["openAPI", "rootAuthority", "serverAuthority"])
        }
    }

    @Test("the reviewed copy of the document is the present one (TIDEGATE_UPDATE_SNAPSHOTS=1 writes it)")
    func snapshot() async throws {
        try await NorthboundFixture.with(.sqlite) { api in
            let reply = try await api.send(.get, "/api/v1/openapi.json")
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent()
            let file = root.appending(path: "docs/openapi.json")
            if ProcessInfo.processInfo.environment["TIDEGATE_UPDATE_SNAPSHOTS"] != nil {
                try reply.text.write(to: file, atomically: true, encoding: .utf8)
            }
            #expect(try String(contentsOf: file, encoding: .utf8) == reply.text)
        }
    }
}
