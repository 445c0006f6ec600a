import ArgumentParser
import Base

/// `tidegate admin heartbeat …`
struct HeartbeatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heartbeat", abstract: "How often devices shall call, and when they are late and silent.",
        discussion: """
            The nearest policy counts, as a whole: the device's own, its domain's and those above, its model's \
            (admin model put), the tenant's, the built-in one.
            """,
        subcommands: [Show.self, Set.self, Remove.self])

    /// Where a policy is set.
    struct Place: ParsableArguments {
        @Option(help: "The tenant's slug.") var tenant: String
        @Option(help: "A domain, by path or identifier.") var domain: String?
        @Option(help: "A device, by name or identifier.") var device: String?

        func validate() throws {
            guard domain == nil || device == nil else {
                throw ValidationError("Name a domain or a device, not both; without either it is the tenant's policy.")
            }
        }

        var path: AdminPath {
            if let device { return "/api/v1/tenants/\(tenant)/devices/\(device)/heartbeat" }
            if let domain { return "/api/v1/tenants/\(tenant)/domains/\(domain)/heartbeat" }
            return "/api/v1/tenants/\(tenant)/heartbeat"
        }
    }

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Shows the policy that counts, where it comes from, and how a device stands to it.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var place: Place

        func act(_ server: AdminClient) async throws {
            show(try await server.send(.get, place.path.text), first: ["source", "effective", "own", "standing"])
        }
    }

    struct Set: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Sets a policy; what is left out is as in the built-in one.",
            discussion: """
                Example: tidegate admin heartbeat set --tenant acme --domain plants/north --interval 900 \
                --quiet-from 22:00 --quiet-until 06:00
                """)

        @OptionGroup var options: AdminOptions
        @OptionGroup var place: Place
        @Option(help: "Seconds between two calls.") var interval: Int64?
        @Option(help: "By how many percent each pause may differ from that.") var jitter: Int64?
        @Option(help: "Seconds between two calls while work is queued.") var busy: Int64?
        @Option(name: .customLong("late-after"), help: "Missed calls after which a device is late.") var late: Int64?
        @Option(name: .customLong("silent-after"), help: "Missed calls after which a device is silent.")
        var silent: Int64?
        @Option(name: .customLong("quiet-from"), help: "The time of day from which devices shall not call.")
        var quietFrom: String?
        @Option(name: .customLong("quiet-until"), help: "The time of day until which they shall not.")
        var quietUntil: String?
        @Option(name: .customLong("time-zone"), help: "Whose clocks count; the tenant's by default.")
        var timeZone: String?
        @Flag(help: "A device that does not call is neither late nor silent.") var exempt = false

        func validate() throws {
            guard (quietFrom == nil) == (quietUntil == nil) else {
                throw ValidationError("Quiet hours have both --quiet-from and --quiet-until.")
            }
            guard timeZone == nil || quietFrom != nil else {
                throw ValidationError("--time-zone belongs to quiet hours: say when they begin and end.")
            }
        }

        func act(_ server: AdminClient) async throws {
            func number(_ number: Int64?) -> JSONValue? { number.map { .integer($0) } }
            let quiet: JSONValue? = quietFrom.map { from in
                .given(["from": .string(from), "until": .text(quietUntil), "timeZone": .text(timeZone)])
            }
            let body = JSONValue.given([
                "intervalSeconds": number(interval), "jitterPercent": number(jitter), "busySeconds": number(busy),
                "lateAfter": number(late), "silentAfter": number(silent), "quietHours": quiet,
                "exempt": exempt ? .bool(true) : nil,
            ])
            show(try await server.send(.put, place.path.text, .json(body)), first: ["source", "effective", "own"])
        }
    }

    struct Remove: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Takes a policy away, so that the next one above it counts.")

        @OptionGroup var options: AdminOptions
        @OptionGroup var place: Place

        func act(_ server: AdminClient) async throws {
            done(try await server.send(.delete, place.path.text), "The policy is taken away.")
        }
    }
}
