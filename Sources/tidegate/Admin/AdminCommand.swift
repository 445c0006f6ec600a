import ArgumentParser
import Base

/// `tidegate admin`: manages a server over its socket or by its API.
struct AdminCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin",
        abstract: "Manages a running server.",
        discussion: """
            Examples:
              tidegate admin --data /var/lib/tidegate tenant create acme
              tidegate admin device register meter-1 --tenant acme
              tidegate admin --json token create --tenant acme --role viewer
              tidegate admin --url https://fleet.example.com:8443 device list --tenant acme

            On the server's own machine commands go through DATA/admin.sock, which only its user and root can open. \
            From elsewhere give --url, after tidegate login or with a token in TIDEGATE_TOKEN.

            Exit codes: 0 done, 1 refused (the reason is on the standard error), 2 no server reached, 64 wrong usage.
            """,
        subcommands: [
            StatusCommand.self, SetUpLinkCommand.self, UserCommand.self, TenantCommand.self, DomainCommand.self,
            DeviceCommand.self, DesiredCommand.self, HeartbeatCommand.self, GatewayTokenCommand.self,
            OperationCommand.self, TaskCommand.self, CampaignCommand.self,
            AlertCommand.self, AlertRuleCommand.self, ModelCommand.self,
            ArtifactCommand.self, UpdateKeyCommand.self, ReleaseCommand.self, ReleaseLineCommand.self,
            TokenCommand.self, ClientCommand.self,
            PrincipalCommand.self, UserGroupCommand.self, RoleCommand.self, GrantCommand.self, ShareCommand.self,
            ReachCommand.self,
            MoveCommand.self, ChangeCommand.self,
            PlanCommand.self, DirectoryCommand.self, OutletCommand.self, DeliveryCommand.self, AuditCommand.self,
            KeysCommand.self,
            CACommand.self, ProveCommand.self,
        ])

    @OptionGroup var options: AdminOptions
}

/// `tidegate admin status`
struct StatusCommand: AdminVerb {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows the server's version, and who it takes the caller for.")

    @OptionGroup var options: AdminOptions

    func act(_ server: AdminClient) async throws {
        let status = try await server.send(.get, "/api/v1/server")
        let principal = try await server.send(.get, "/api/v1/principal")
        guard case .object(var members) = status else { return show(status) }
        members["principal"] = principal
        show(.object(members), first: ["version", "deployment", "ready"])
    }
}
