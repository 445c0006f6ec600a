import ArgumentParser
import Base

/// `tidegate admin campaign …`
struct CampaignCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "campaign", abstract: "Staged roll-outs of releases.",
        subcommands: [
            Create.self, List.self, Show.self, Approve.self, Pause.self, Resume.self, Stop.self, Rollback.self,
            Policy.self, Firmware.self, UpdateBehind.self,
        ])

    struct Create: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Orders a campaign, or with --preview says how many devices each group would have.",
            discussion: """
                Examples:
                  tidegate admin campaign create 01a0… --filter "model = gateway" --group 5 --group 95 --tenant acme
                  tidegate admin campaign create 01a0… --all --group d-1,d-2 --group 100 --newcomers --tenant acme

                A group is a percentage, or devices with commas between them. A file of terms is JSON, such as \
                {"starts": "2027-01-15T22:00:00Z", "timeout": 1800, "retries": {"timedOut": 2}}.
                """)

        @OptionGroup var options: AdminOptions
        @Argument(help: "The release.") var release: String
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "What people call it.") var title: String?
        @Option(help: "Those that match this filter.") var filter: String?
        @Flag(help: "All devices.") var all = false
        @Option(help: "Those in this domain and below.") var domain: String?
        @Option(help: "This device; again for more.") var device: [String] = []
        @Option(help: "A group: a percentage, or devices; again for more. One of all when left out.")
        var group: [String] = []
        @Option(help: "The percentage of a group that must have the release before the next begins.") var success: Int?
        @Option(help: "The percentage of failures and time-outs at which it pauses.") var error: Int?
        @Option(help: "How many devices of a group must be through before failures are judged.") var sample: Int?
        @Flag(help: "Devices that come to match later join it.") var newcomers = false
        @Option(help: "A JSON file that says when, for how long and how often, or - for the standard input.")
        var terms: String?
        @Flag(help: "Order nothing, and say how many devices each group would have.") var preview = false

        func validate() throws {
            let ways = [filter != nil, all, domain != nil, !device.isEmpty].count { $0 }
            guard ways == 1 || ways == 0 && !group.isEmpty else {
                throw ValidationError("say which devices with one of --filter, --all, --domain and --device")
            }
        }

        func act(_ server: AdminClient) async throws {
            var members: [String: JSONValue] = ["release": .string(release), "newcomers": .bool(newcomers)]
            members["title"] = title.map { .string($0) }
            if let filter {
                members["target"] = ["filter": .string(filter)]
            } else if let domain {
                members["target"] = ["domain": .string(domain)]
            } else if all {
                members["target"] = ["filter": .null]
            } else if !device.isEmpty {
                members["target"] = ["devices": .array(device.map { ["device": .string($0)] })]
            }
            if !group.isEmpty { members["groups"] = .array(group.map(CampaignCommand.group)) }
            var rules: [String: JSONValue] = [:]
            rules["success"] = success.map { .integer(Int64($0)) }
            rules["error"] = error.map { .integer(Int64($0)) }
            rules["sample"] = sample.map { .integer(Int64($0)) }
            if !rules.isEmpty { members["rules"] = .object(rules) }
            if let terms { members["terms"] = try await JSONValue(file: terms, atMost: 1 << 20) }
            let all: AdminPath = "/api/v1/tenants/\(tenant)/campaigns"
            let trial: AdminPath = "/api/v1/tenants/\(tenant)/campaigns/preview"
            let answer = try await server.send(.post, preview ? trial.text : all.text, .json(.object(members)))
            show(answer, first: preview ? ["members", "upToDate", "misfits", "groups"] : CampaignCommand.first)
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the campaigns, the newest first.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "Only those in this state, such as running or paused.") var state: String?
        @Option(help: "At most so many.") var limit: Int?

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/campaigns"
            try await list(
                server, path.adding("state", state),
                ["id", "title", "state", "reason", "members", "creatorName", "created"], limit: limit)
        }
    }

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Shows a campaign, with how its groups stand.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The campaign.") var campaign: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/campaigns/\(campaign)"
            show(try await server.send(.get, path.text), first: CampaignCommand.first)
        }
    }

    struct Approve: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lets a campaign begin that waits for another person.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The campaign.") var campaign: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/campaigns/\(campaign)/approve"
            show(try await server.send(.post, path.text), first: CampaignCommand.first)
        }
    }

    struct Pause: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Gives out nothing more of a campaign; what devices have begun goes on.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The campaign.") var campaign: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/campaigns/\(campaign)/pause"
            show(try await server.send(.post, path.text), first: CampaignCommand.first)
        }
    }

    struct Resume: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lets a paused campaign go on; what went wrong before is not held against it any more.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The campaign.") var campaign: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/campaigns/\(campaign)/resume"
            show(try await server.send(.post, path.text), first: CampaignCommand.first)
        }
    }

    struct Stop: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Ends a campaign; devices that have begun are asked first.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The campaign.") var campaign: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/campaigns/\(campaign)/stop"
            show(try await server.send(.post, path.text), first: CampaignCommand.first)
        }
    }

    struct Rollback: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Ends a campaign, and gives devices that have its release an earlier one again.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The campaign.") var campaign: String
        @Option(help: "The release that they get; the last one before by default.") var release: String?
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/campaigns/\(campaign)/rollback"
            show(try await server.send(.post, path.adding("release", release).text), first: CampaignCommand.first)
        }
    }

    struct Policy: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Shows or decides whether another person must approve campaigns.",
            discussion: "Example: tidegate admin campaign policy --second yes --reason \"four eyes\" --tenant acme")

        @OptionGroup var options: AdminOptions
        @Option(help: "yes or no; without it the policy is shown.") var second: ChangeCommand.Policy.Choice?
        @Option(help: "Why, for the audit log.") var reason: String?
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/campaign-policy"
            guard let second else { return show(try await server.send(.get, path.text), first: ["needsSecond"]) }
            let body = JSONValue.given(["needsSecond": .bool(second == .yes), "reason": .text(reason)])
            show(try await server.send(.put, path.text, .json(body)), first: ["needsSecond"])
        }
    }

    struct Firmware: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Shows which versions of each component devices have.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/firmware"
            show(try await server.send(.get, path.text), first: ["components"])
        }
    }

    struct UpdateBehind: AdminVerb {
        static let configuration = CommandConfiguration(
            commandName: "update-behind",
            abstract: "Orders a campaign of a component's latest release for all devices with another version of it.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The component.") var component: String
        @Option(help: "A group's percentage; again for more. One of all when left out.") var group: [String] = []
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/firmware/\(component)/update"
            let body: JSONValue =
                group.isEmpty ? [:] : ["groups": .array(group.map(CampaignCommand.group))]
            show(try await server.send(.post, path.text, .json(body)), first: CampaignCommand.first)
        }
    }

    /// A group as it is typed: a percentage, or devices.
    private static func group(_ text: String) -> JSONValue {
        if let percent = Int64(text) { return ["percent": .integer(percent)] }
        return ["devices": .array(text.split(separator: ",").map { ["device": .string(String($0))] })]
    }

    static let first = ["id", "title", "state", "reason", "members"]
}
