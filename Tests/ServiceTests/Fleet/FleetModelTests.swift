import Access
import Base
import Storage
import Testing

@testable import Fleet

@Suite("Models of a fleet")
struct FleetModelTests {
    @Test(
        "a model has versions, the earlier ones stay readable, and a stale change is refused",
        arguments: TestDatabase.engines)
    func versions(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let fleet = world.fleet
            let name = try #require(Name("meter"))
            let power = SeriesDeclaration(name: "power", unit: "W", exponent: -1)
            let first = try await fleet.createModel(
                name, ModelDocument(series: [power]), in: world.acme, by: FleetFixture.admin)
            let generation = fleet.directory.modelGeneration
            let second = try await fleet.updateModel(
                "meter", ModelDocument(series: [power], undeclared: .refuse), ifVersion: 1, in: world.acme,
                by: FleetFixture.admin)
            #expect(second.version == 2)
            #expect(fleet.directory.model(first.id) == second)
            #expect(fleet.directory.modelGeneration != generation)
            await #expect(throws: Refusal(.conflict, "model.changed", "")) {
                try await fleet.updateModel(
                    "meter", ModelDocument(), ifVersion: 1, in: world.acme, by: FleetFixture.admin)
            }
            #expect(
                try await fleet.model("meter", version: 1, in: world.acme, by: FleetFixture.admin).document
                    == first.document)
            #expect(try await fleet.model(first.id.text, in: world.acme, by: FleetFixture.admin) == second)
            await #expect(throws: Refusal(.notFound, "model.versionUnknown", "")) {
                try await fleet.model("meter", version: 9, in: world.acme, by: FleetFixture.admin)
            }
            await #expect(throws: Refusal(.conflict, "model.nameTaken", "")) {
                try await fleet.createModel(name, ModelDocument(), in: world.acme, by: FleetFixture.admin)
            }
            #expect(second.declaration(of: "power") == power)
            #expect(second.undeclared == .refuse)
        }
    }

    @Test(
        "a model that devices have can not be deleted, another tenant's not even seen", arguments: TestDatabase.engines)
    func deletes(engine: TestDatabase.Engine) async throws {
        try await FleetFixture.with(engine) { world in
            let fleet = world.fleet
            _ = try await fleet.createModel(
                try #require(Name("meter")), ModelDocument(), in: world.acme, by: FleetFixture.admin)
            _ = try await world.register("m") { $0.model = "meter" }
            await #expect(throws: Refusal(.conflict, "model.used", "")) {
                try await fleet.deleteModel("meter", in: world.acme, by: FleetFixture.admin)
            }
            let foreign = try await world.principal("admin", of: world.rival)
            await #expect(throws: Refusal.self) { try await fleet.models(in: world.acme, by: foreign) }
            #expect(try await fleet.models(in: world.rival, by: foreign) == [])
            await #expect(throws: Refusal.self) {
                try await world.register("x", { $0.model = "meter" }, in: world.rival)
            }
            try await fleet.delete("m", in: world.acme, by: FleetFixture.admin)
            try await fleet.deleteModel("meter", in: world.acme, by: FleetFixture.admin)
            #expect(try await fleet.models(in: world.acme, by: FleetFixture.admin) == [])
            #expect(try await world.audited("model.") == ["model.created", "model.deleted"])
        }
    }
}
