import ArgumentParser

/// The program: one binary that serves, is administered, verifies and simulates.
@main
struct Tidegate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tidegate",
        abstract: "Keeps fleets of connected devices under control without exposing any of them.",
        version: Program.version,
        subcommands: [
            ServeCommand.self, DemoCommand.self, AdminCommand.self, VerifyCommand.self, BackupCommand.self,
            SimulateCommand.self, SettingsCommand.self, LoginCommand.self, LogoutCommand.self,
        ])
}
