package import Base
import NIOHTTP1

/// The device protocol over HTTPS, on the maintenance channel.
package struct ServerCalls: Sendable {
    /// The server said something else than was hoped for.
    package struct Refused: Error, CustomStringConvertible {
        /// The HTTP status.
        package var status: Int
        /// What it said.
        package var description: String
    }

    /// What a call brought.
    package struct Heartbeat: Sendable {
        /// Seconds until the next call.
        package var pause: Int64
        /// Tasks in their envelopes.
        package var tasks: [JSONValue]
        /// A desired document of this version waits.
        package var desired: Int64?
    }

    private let client: HTTPSClient
    private let tenant: String
    private let identity: DeviceIdentity

    /// Calls by `client` of the device that `identity` shows.
    package init(client: HTTPSClient, tenant: String, identity: DeviceIdentity) {
        self.client = client
        self.tenant = tenant
        self.identity = identity
    }

    /// Calls, and learns what there is to do.
    package func heartbeat() async throws -> Heartbeat {
        let json = try await get("heartbeat")
        guard let pause = json["pause"]?.integer else {
            throw Refused(status: 200, description: "the server's answer to a heartbeat is none")
        }
        var tasks: [JSONValue] = []
        if case .array(let entries)? = json["tasks"] { tasks = entries }
        return Heartbeat(
            pause: min(max(pause, AgentLimits.pauses.lowerBound), AgentLimits.pauses.upperBound), tasks: tasks,
            desired: json["desired"]?["version"]?.integer)
    }

    /// Tells how a task stands; false when the task is over or not known there, which is no reason to tell it again.
    @discardableResult
    package func tell(_ status: JSONValue, of task: Int64) async throws -> Bool {
        let answer = try await post("tasks/\(task)/status", status)
        guard !Self.mayChange(answer.status) else { throw Self.refused(answer) }
        return ![404, 410].contains(answer.status)
    }

    /// Merges `facts` into what the server knows of the device; false when it will never take them.
    @discardableResult
    package func report(_ facts: JSONValue) async throws -> Bool {
        let answer = try await post("reported", facts)
        guard !Self.mayChange(answer.status) else { throw Self.refused(answer) }
        return answer.status < 300
    }

    /// Tells what has happened to the device; what the server will never take is not told again.
    package func tell(event: JSONValue) async throws {
        let answer = try await post("events", event)
        guard !Self.mayChange(answer.status) else { throw Self.refused(answer) }
    }

    /// Whether the same words may find another answer later; others are not said again, or they would hold up the rest.
    private static func mayChange(_ status: Int) -> Bool {
        [401, 403, 408, 429].contains(status) || status >= 500 || status < 200
    }

    /// What the device is wanted to be, in its envelope; nil when there is nothing.
    package func desired() async throws -> JSONValue? {
        do {
            return try await get("desired")
        } catch let refused as Refused where refused.status == 404 {
            return nil
        }
    }

    /// The keys that sign tasks, as they come.
    package func maintenanceKeys() async throws -> [UInt8] {
        let answer = try await client.ask(.GET, "/\(tenant)/maintenance-keys", identity: identity)
        guard answer.status == 200 else { throw Self.refused(answer) }
        return answer.body
    }

    private func get(_ path: String) async throws -> JSONValue {
        let answer = try await client.ask(.GET, "/\(tenant)/\(path)", identity: identity)
        guard answer.status == 200 else { throw Self.refused(answer) }
        guard let json = try? JSONValue(parsing: answer.body, limits: JSONLimits(bytes: AgentLimits.answerBytes))
        else { throw Refused(status: 200, description: "the server's answer is not JSON") }
        return json
    }

    private func post(_ path: String, _ json: JSONValue) async throws -> HTTPSClient.Answer {
        try await client.ask(
            .POST, "/\(tenant)/\(path)", headers: ["Content-Type": "application/json"],
            body: Array(json.canonical.utf8), identity: identity)
    }

    private static func refused(_ answer: HTTPSClient.Answer) -> Refused {
        let text = String(decoding: answer.body.prefix(300), as: UTF8.self)
        return Refused(status: answer.status, description: "the server answered \(answer.status): \(text)")
    }
}
