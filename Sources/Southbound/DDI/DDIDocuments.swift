import Base
import Blobs
import Operations

/// The JSON that update clients read, written as the strictest of them wants it: absolute addresses, identifiers as
/// texts of at most ten digits, one chunk, the pause as `HH:mm:ss`.
struct DDIDocuments {
    /// `https://host[:port]/{tenant}/controller/v1/{controllerId}`, as the client called it.
    let base: String

    /// The answer to a poll that has something to say.
    func poll(pause: Int64, links: [(name: String, path: String)]) -> [UInt8] {
        let links = links.map { ($0.name, href($0.path)) }
        return Self.bytes([
            "config": ["polling": ["sleep": .string(Self.clock(pause))]],
            "_links": .object(Dictionary(uniqueKeysWithValues: links)),
        ])
    }

    /// The answer to a poll with nothing to do.
    static func emptyPoll(pause: Int64) -> [UInt8] {
        Array("{\"config\":{\"polling\":{\"sleep\":\"\(clock(pause))\"}}}".utf8)
    }

    /// What a task brings, under the name that tells whether the device may install it or is asked.
    ///
    /// - Parameter hasLinks: Whether the device may have the files.
    func deployment(
        _ number: Int64, _ release: Release, as name: String = "deployment", hasLinks: Bool = true,
        history: (status: String, [String])? = nil
    ) -> [UInt8] {
        var members: [String: JSONValue] = [
            "id": .string("\(number)"),
            name: ["download": "forced", "update": "forced", "chunks": [chunk(number, release, hasLinks)]],
        ]
        if let (status, messages) = history {
            members["actionHistory"] = [
                "status": .string(status), "messages": .array(messages.map { .string($0) }),
            ]
        }
        return Self.bytes(.object(members))
    }

    /// The files of a task's release.
    func artifacts(_ number: Int64, _ release: Release) -> [UInt8] { Self.bytes(files(number, release, true)) }

    /// What the device says of its own consent, and what waits for it.
    func confirmations(active: JSONValue, isActive: Bool, waiting: Int64?) -> [UInt8] {
        let act = isActive ? "deactivateAutoConfirm" : "activateAutoConfirm"
        var links: [String: JSONValue] = [act: href("/confirmationBase/\(act)")]
        if let waiting { links["confirmationBase"] = href("/confirmationBase/\(waiting)?c=\(waiting)") }
        return Self.bytes(["autoConfirm": active, "_links": .object(links)])
    }

    /// The wish to end an action.
    static func cancel(_ number: Int64) -> [UInt8] {
        bytes(["id": .string("\(number)"), "cancelAction": ["stopId": .string("\(number)")]])
    }

    /// What `md5sum` reads.
    static func checksum(_ artifact: Artifact) -> [UInt8] { Array("\(artifact.md5.hex)  \(artifact.name)\n".utf8) }

    /// Seconds as `HH:mm:ss`, within what every client understands.
    static func clock(_ seconds: Int64) -> String {
        let seconds = min(max(seconds, 1), 86_399)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }

    /// The release as one chunk; its part is the one that Zephyr's client demands.
    private func chunk(_ number: Int64, _ release: Release, _ hasLinks: Bool) -> JSONValue {
        [
            "part": "bApp", "name": .string(release.component), "version": .string(release.version),
            "artifacts": files(number, release, hasLinks),
        ]
    }

    private func files(_ number: Int64, _ release: Release, _ hasLinks: Bool) -> JSONValue {
        .array(
            release.artifacts.map { artifact in
                var members: [String: JSONValue] = [
                    "filename": .string(artifact.name), "size": .integer(artifact.size),
                    "hashes": [
                        "sha1": .string(artifact.sha1.hex), "md5": .string(artifact.md5.hex),
                        "sha256": .string(artifact.sha256.text),
                    ],
                ]
                if hasLinks {
                    let link = href("/softwaremodules/\(number)/artifacts/\(artifact.name.percentEncoded)")
                    let sum = href("/softwaremodules/\(number)/artifacts/\(artifact.name.percentEncoded).MD5SUM")
                    // Zephyr's client reads the second one, and wants it on the same server, with TLS or without.
                    members["_links"] = [
                        "download": link, "download-http": link, "md5sum": sum, "md5sum-http": sum,
                    ]
                }
                return .object(members)
            })
    }

    private func href(_ path: String) -> JSONValue { ["href": .string(base + path)] }

    private static func bytes(_ value: JSONValue) -> [UInt8] { Array(value.canonical.utf8) }
}
