import Base
import Testing

@testable import Agent

/// Which releases the agent has nothing to do with, whoever has signed the task.
@Suite("What the agent installs")
struct InstallerTests {
    private static let settings = """
        server = fleet.example.com
        tenant = acme
        device = gw-1
        update-key = /etc/update.pem
        hardware = board-1
        """

    private static func release(_ more: [String: JSONValue] = [:], name: String = "system.swu") -> JSONValue {
        let artifact: JSONValue = [
            "name": .string(name), "size": 5, "sha256": .string(String(repeating: "ab", count: 32)),
            "url": "https://fleet.example.com/acme/x",
        ]
        return .object(
            ["component": "system", "version": "2.0", "counter": 2, "artifacts": [artifact]].merging(more) { $1 })
    }

    @Test(
        "a step back, another board and no single file are refused",
        arguments: [
            (release(), nil), (release(["hardware": ["board-1", "board-2"]]), nil),
            (release(["counter": 3]), nil), (release(["counter": 1, "rollback": true]), nil),
            (release(["counter": 1]), "older"), (release(["counter": 1, "rollback": "true"]), "older"),
            (release(["hardware": ["board-2"]]), "not for this hardware"),
            (release(["artifacts": []]), "no release of one file"),
            (release(["counter": "2"]), "no release of one file"),
            (release(name: "../system.swu"), "no release of one file"), (release(name: ".."), "no release of one file"),
        ] as [(JSONValue, String?)])
    func objections(release: JSONValue, reason: String?) throws {
        let settings = try AgentSettings(parsing: Self.settings)
        let objection = Installer.objection(to: release, settings: settings, installed: ["system": 2])
        #expect(reason.map { objection?.contains($0) == true } ?? (objection == nil), "\(objection ?? "none")")
    }
}
