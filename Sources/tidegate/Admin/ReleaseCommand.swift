import ArgumentParser
import Base

/// `tidegate admin release …`
struct ReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Versions of components, with the files that devices install.",
        subcommands: [Create.self, Publish.self, List.self, Show.self, Withdraw.self, Delete.self])

    struct Create: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Makes a draft of a release.",
            discussion: "Example: tidegate admin release create system 2.4 --artifact 0190… --tenant acme")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The component that it is a version of.") var component: String
        @Argument(help: "What people call the version.") var version: String
        @Option(help: "Where it stands among the component's versions; after the last one by default.") var counter:
            Int?
        @Option(help: "Hardware that it fits; any when left out. May be repeated.") var hardware: [String] = []
        @Option(help: "What is new in it.") var notes: String?
        @Option(help: "Until when it is looked after, such as 2031-01-01T00:00:00Z.") var supportEnds: String?
        @Option(help: "A file of it, by the artifact's identifier. May be repeated.") var artifact: [String] = []
        @Option(help: "Its bill of materials: an artifact that is CycloneDX in JSON.") var sbom: String?
        @Flag(help: "Publish it at once.") var publish = false
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let all: AdminPath = "/api/v1/tenants/\(tenant)/releases"
            var release = try await server.send(
                .post, all.text,
                .json(
                    .given([
                        "component": .string(component), "version": .string(version), "counter": .whole(counter),
                        "hardware": .array(hardware.map { .string($0) }), "notes": .text(notes),
                        "supportEnds": .text(supportEnds), "artifacts": .array(artifact.map { .string($0) }),
                        "sbom": .text(sbom),
                    ])))
            if publish, let id = release["id"]?.string {
                let path: AdminPath = "/api/v1/tenants/\(tenant)/releases/\(id)/publish"
                release = try await server.send(.post, path.text)
            }
            show(release, first: ["id", "component", "version", "counter", "state"])
        }
    }

    struct Publish: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Publishes a draft: from then on it can be installed, and never changes.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The release's identifier.") var release: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/releases/\(release)/publish"
            show(
                try await server.send(.post, path.text), first: ["id", "component", "version", "counter", "state"])
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the releases, the newest first.")

        @OptionGroup var options: AdminOptions
        @Option(help: "Only those of this component.") var component: String?
        @Option(help: "Only those in this state: draft, published, withdrawn.") var state: String?
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/releases"
            try await list(
                server, path.adding("component", component).adding("state", state),
                ["component", "version", "counter", "state", "created", "id"])
        }
    }

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Shows a release.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The release's identifier.") var release: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/releases/\(release)"
            show(
                try await server.send(.get, path.text), first: ["id", "component", "version", "counter", "state"])
        }
    }

    struct Withdraw: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Withdraws a release: nobody can order it any more; what is under way goes on until it is ended.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The release's identifier.") var release: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/releases/\(release)/withdraw"
            show(
                try await server.send(.post, path.text), first: ["id", "component", "version", "counter", "state"])
        }
    }

    struct Delete: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Deletes a draft, or a withdrawn release that no operation names.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The release's identifier.") var release: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/releases/\(release)"
            done(try await server.send(.delete, path.text), "\(release) is deleted.")
        }
    }
}
