import ArgumentParser
import Base
import FoundationEssentials
import Trust

/// `tidegate admin ca …`: the ceremony that keeps the root's key on a machine without a network. It needs no server.
struct CACommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca", abstract: "Certificate authorities.", subcommands: [Root.self])

    struct Root: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "root", abstract: "Keeps the root's key offline.",
            discussion: """
                1. On the server:   tidegate admin ca root request --data DIR --deployment NAME > request.pem
                2. On the offline machine, once:  tidegate admin ca root create ROOTDIR --deployment NAME
                   and each time:                 tidegate admin ca root sign request.pem ROOTDIR > answer.pem
                3. On the server:   tidegate admin ca root install answer.pem --data DIR, then restart it

                Only request.pem and answer.pem go between the machines; neither is secret. Keep ROOTDIR in a safe.
                """,
            subcommands: [Create.self, Request.self, Sign.self, Install.self])
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a root, on the offline machine.")

        @Argument(help: "The directory to keep it in.") var directory: String
        @Option(help: "The deployment's name, as in the server's configuration.") var deployment: String

        func run() throws {
            let name = try CACommand.name(deployment)
            try CACommand.ceremony {
                try RootCeremony.createRoot(in: directory, for: name)
                AdminOutput.line(
                    "\(directory)/root-ca.pem is the root; its key is beside it. Keep the directory in a safe.")
            }
        }
    }

    struct Request: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes the server's intermediate key and prints the request for its certificate.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The deployment's name, as in the server's configuration.") var deployment: String

        func run() throws {
            let name = try CACommand.name(deployment)
            try CACommand.ceremony {
                try SecretFile.createDirectory(options.dataDirectory, for: .owner)
                print(try RootCeremony.requestIntermediate(paths: options.authorityPaths, for: name), terminator: "")
            }
        }
    }

    struct Sign: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Signs a server's request with the root, on the offline machine, and prints the answer.")

        @Argument(help: "The request.") var request: String
        @Argument(help: "The directory of the root.") var directory: String

        func run() throws {
            try CACommand.ceremony {
                let text = try CACommand.text(request)
                print(try RootCeremony.sign(request: text, withRootIn: directory), terminator: "")
            }
        }
    }

    struct Install: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Installs the answer on the server, and removes a root key that was there.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The answer.") var answer: String

        func run() throws {
            try CACommand.ceremony {
                try RootCeremony.install(try CACommand.text(answer), paths: options.authorityPaths)
                AdminOutput.line("Installed. Start the server, or restart it, to use it.")
            }
        }
    }

    private static func name(_ text: String) throws -> DeploymentName {
        guard let name = DeploymentName(text) else {
            throw ValidationError("--deployment must be a host name in lower case, such as fleet.example.com")
        }
        return name
    }

    private static func text(_ path: String) throws -> String {
        do {
            return try String(contentsOf: URL(filePath: path), encoding: .utf8)
        } catch {
            throw AdminFailure("\(path) can not be read: \(error)")
        }
    }

    /// Turns a refusal into its one line and exit code 1.
    private static func ceremony(_ act: () throws -> Void) throws {
        do {
            try act()
        } catch let refusal as Refusal {
            AdminOutput.warn("Error: \(refusal.message) [\(refusal.code)]")
            throw ExitCode(1)
        } catch let failure as AdminFailure {
            AdminOutput.warn("Error: \(failure)")
            throw ExitCode(1)
        }
    }
}

extension AdminOptions {
    /// The files of the authorities in the data directory.
    fileprivate var authorityPaths: AuthorityPaths {
        AuthorityPaths(keys: dataDirectory + "/keys", trust: dataDirectory + "/trust")
    }
}
