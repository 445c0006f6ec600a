import Base
import NIOCore
import NIOPosix

extension Configuration.Listeners {
    /// Refuses a start whose ports are taken before it has made or said anything else.
    ///
    /// Who takes a port after this look is still refused by the listener itself, among other lines.
    func areFree() async throws {
        let all: [(String, Configuration.Address?)] = [
            ("people", people), ("device", device), ("mqtt", mqtt), ("metrics", metrics), ("programs", programs),
            ("platform", platform),
        ]
        for (name, address) in all {
            guard let address else { continue }
            do {
                let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                    .bind(host: address.host, port: address.port)
                    .get()
                try await channel.close()
            } catch let error as IOError {
                throw Refusal.listener(
                    name, at: "\(address)", setting: "listeners.\(name)", error: error.errnoCode)
            } catch {
                // A name that leads nowhere is the listener's own to refuse.
            }
        }
    }
}
