import Base
import FoundationEssentials
import NIOCore

/// Gets simulated devices the tokens with which they enrol.
enum SimulationTokens {
    /// Devices that are registered in one call.
    private static let batch = 1000

    /// The devices in a file of `id token` lines; empty lines and those that begin with `#` do not count.
    static func read(_ path: String) throws -> [SimulatedFleet.Member] {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError("\(path): can not be read")
        }
        var members: [SimulatedFleet.Member] = []
        for (index, line) in String(decoding: bytes, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
        )
        .enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            guard words.count == 2, let name = Name(first) else {
                throw ConfigurationError(
                    "\(path), line \(index + 1): must be a device's name or identifier and its token")
            }
            members.append(.init(name: name.text, enrolmentToken: String(words[1])))
        }
        guard !members.isEmpty else { throw ConfigurationError("\(path) holds no device") }
        return members
    }

    /// Registers devices of these names through the API; those that are registered already get a new token.
    static func register(_ names: [String], in tenant: String, by server: AdminClient) async throws
        -> [SimulatedFleet.Member]
    {
        var members: [SimulatedFleet.Member] = []
        for start in stride(from: 0, to: names.count, by: batch) {
            let part = Array(names[start..<min(start + batch, names.count)])
            do {
                members += try await registerAll(part, in: tenant, by: server)
            } catch let refusal as AdminRefusal where refusal.status == 409 {
                // All or none: some are there, so each is asked for.
                for name in part { members.append(try await member(name, in: tenant, by: server)) }
            }
        }
        return members
    }

    private static func registerAll(
        _ names: [String], in tenant: String, by server: AdminClient
    ) async throws -> [SimulatedFleet.Member] {
        let path: AdminPath = "/api/v1/tenants/\(tenant)/devices/bulk"
        var answer: [UInt8] = []
        let list = JSONValue.array(names.map { ["name": .string($0)] })
        try await server.stream(.post, path.text, .json(list), accept: "application/x-ndjson") {
            answer += $0.readableBytesView
        }
        return try answer.split(separator: 0x0A).map { line in
            guard let value = try? JSONValue(parsing: Array(line)), let name = value["name"]?.string,
                let token = value["enrolmentToken"]?.string
            else { throw AdminFailure("The server's list of tokens is not understood. Is this a Tidegate server?") }
            return .init(name: name, enrolmentToken: token)
        }
    }

    private static func member(
        _ name: String, in tenant: String, by server: AdminClient
    ) async throws -> SimulatedFleet.Member {
        let devices: AdminPath = "/api/v1/tenants/\(tenant)/devices"
        let token: AdminPath = "/api/v1/tenants/\(tenant)/devices/\(name)/enrolment-token"
        let answer: JSONValue
        do {
            answer = try await server.send(.post, devices.text, .json(["name": .string(name)]))
        } catch let refusal as AdminRefusal where refusal.status == 409 {
            answer = try await server.send(.post, token.text, .json([:]))
        }
        return .init(name: name, enrolmentToken: answer["enrolmentToken"]?.string)
    }
}
