import ArgumentParser
import Base
import Crypto
import Foundation
import NIOCore

/// `tidegate admin artifact …`
struct ArtifactCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "artifact", abstract: "Files that devices fetch.",
        subcommands: [Upload.self, List.self, Show.self, Download.self, Delete.self])

    struct Upload: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Uploads a file; what a cut left is not sent again.",
            discussion: """
                Example: tidegate admin artifact upload gateway-2.4.swu --tenant acme
                A cut connection is taken up again for some minutes; after that, or after the command itself was ended, \
                the same command goes on where the upload stands.
                """)

        @OptionGroup var options: AdminOptions
        @Argument(help: "The file.") var file: String
        @Option(help: "The file name that devices see; the file's own by default.") var name: String?
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let name = name ?? String(file.split(separator: "/").last ?? "")
            let all: AdminPath = "/api/v1/tenants/\(tenant)/artifacts"
            let (digest, size) = try await summary()
            let id = try await begun(server, all, name, digest, size)
            let path: AdminPath = "/api/v1/tenants/\(tenant)/artifacts/\(id)"
            var (stands, failures) = (Int64(-1), 0)
            while true {
                // Asked anew after each cut: only the server knows what of the last part it has.
                let shown = try await patiently { try await server.send(.get, path.text) }
                if shown["state"] == "whole" { return show(shown, first: ["id", "name", "type", "signature", "size"]) }
                guard let offset = shown["received"]?.integer else { throw AdminFailure("The answer names no offset.") }
                if offset > stands { (stands, failures) = (offset, 0) }
                let part = AdminClient.FilePart(path: file, offset: offset, size: size, progress: progress(of: size))
                do {
                    _ = try await server.send(.patch, path.text, .part(part))
                } catch {
                    try await rest(after: error, &failures)
                }
            }
        }

        /// An upload of the same file that was begun before, or a new one.
        private func begun(
            _ server: AdminClient, _ all: AdminPath, _ name: String, _ digest: String, _ size: Int64
        ) async throws -> String {
            let page = try await server.send(.get, all.adding("limit", "1000").text)
            if case .array(let items) = page["items"] {
                let same = items.first { item in
                    item["state"] == "uploading" && item["name"]?.string == name && item["sha256"]?.string == digest
                        && item["size"]?.integer == size
                }
                if let id = same?["id"]?.string { return id }
            }
            let metadata = [("filename", name), ("sha256", digest)].map { "\($0) \(Self.base64($1))" }
            let made = try await server.send(
                .post, all.text,
                headers: [("upload-length", "\(size)"), ("upload-metadata", metadata.joined(separator: ","))])
            guard let id = made["id"]?.string else { throw AdminFailure("The answer names no upload.") }
            return id
        }

        /// Repeats what a lost connection ended, a little later each time; gives up after some minutes.
        private func patiently<Value>(_ act: () async throws -> Value) async throws -> Value {
            var failures = 0
            while true {
                do {
                    return try await act()
                } catch {
                    try await rest(after: error, &failures)
                }
            }
        }

        /// Waits before another try, or throws what no further try would mend.
        private func rest(after error: any Error, _ failures: inout Int) async throws {
            let isPassing = (error as? AdminRefusal).map(\.isPassing) ?? !(error is CancellationError)
            guard isPassing, failures < 12 else { throw error }
            if failures == 0, !(error is AdminRefusal) {
                AdminOutput.warn("The connection was cut; it is taken up again.")
            }
            failures += 1
            try await Task.sleep(for: .milliseconds(min(250 << failures, 30_000)))
        }

        private func summary() async throws -> (digest: String, size: Int64) {
            var (hash, size) = (SHA256(), Int64(0))
            guard file != "-" else { throw AdminFailure("An upload needs a file: it may have to be read again.") }
            for try await block in try FileBytes(file) {
                block.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
                size += Int64(block.readableBytes)
            }
            return (Array(hash.finalize()).hex, size)
        }

        /// Says on a terminal how far it is, each percent once.
        private func progress(of size: Int64) -> @Sendable (Int64) -> Void {
            guard !options.json, AdminOutput.isTerminal else { return { _ in } }
            return { sent in
                AdminOutput.overwrite("\(sent * 100 / max(size, 1)) % of \(size >> 10) KiB")
            }
        }

        private static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists artifacts and uploads under way.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            try await list(
                server, "/api/v1/tenants/\(tenant)/artifacts",
                ["name", "type", "state", "size", "signature", "key", "created", "id"])
        }
    }

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Shows an artifact, or how much of it has come.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The artifact's identifier.") var artifact: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/artifacts/\(artifact)"
            show(try await server.send(.get, path.text), first: ["id", "name", "type", "signature", "size"])
        }
    }

    struct Download: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Writes an artifact's bytes to the standard output.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The artifact's identifier.") var artifact: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/artifacts/\(artifact)/content"
            try await server.stream(.get, path.text, accept: "application/octet-stream") { try AdminOutput.bytes($0) }
        }
    }

    struct Delete: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Deletes an artifact that no release has, or gives an upload up.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The artifact's identifier.") var artifact: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/artifacts/\(artifact)"
            done(try await server.send(.delete, path.text), "\(artifact) is deleted.")
        }
    }
}

/// `tidegate admin update-key …`
struct UpdateKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update-key", abstract: "The keys whose signatures a tenant's updates must have.",
        subcommands: [Put.self, List.self, Show.self, Delete.self])

    struct Put: AdminVerb {
        static let configuration = CommandConfiguration(
            abstract: "Trusts a certificate or public key for updates.",
            discussion:
                "Example: tidegate admin update-key put release-2026 signing.pem --reason 'new year' --tenant acme")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The key's name.") var name: String
        @Argument(help: "A file with one certificate or public key in PEM, or - for the standard input.") var file:
            String
        @Option(help: "Why, for the audit log.") var reason: String?
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/update-keys/\(name)"
            var bytes: [UInt8] = []
            for try await block in try FileBytes(file) {
                bytes += block.readableBytesView
                guard bytes.count <= 16 << 10 else { throw AdminFailure("\(file) is too large for a key.") }
            }
            let pem = JSONValue.string(String(decoding: bytes, as: UTF8.self))
            show(
                try await server.send(.put, path.text, .json(.given(["pem": pem, "reason": .text(reason)]))),
                first: ["name", "kind", "algorithm", "subject", "ends"])
        }
    }

    struct List: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Lists the update keys.")

        @OptionGroup var options: AdminOptions
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            try await list(
                server, "/api/v1/tenants/\(tenant)/update-keys", ["name", "kind", "algorithm", "ends", "fingerprint"])
        }
    }

    struct Show: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Shows an update key.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The key's name.") var name: String
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/update-keys/\(name)"
            show(try await server.send(.get, path.text), first: ["name", "kind", "algorithm", "subject", "ends"])
        }
    }

    struct Delete: AdminVerb {
        static let configuration = CommandConfiguration(abstract: "Trusts a key for updates no more.")

        @OptionGroup var options: AdminOptions
        @Argument(help: "The key's name.") var name: String
        @Option(help: "Why, for the audit log.") var reason: String?
        @Option(help: "The tenant's slug.") var tenant: String

        func act(_ server: AdminClient) async throws {
            let path: AdminPath = "/api/v1/tenants/\(tenant)/update-keys/\(name)"
            done(
                try await server.send(.delete, path.adding("reason", reason).text),
                "\(name) is trusted for updates no more.")
        }
    }
}
