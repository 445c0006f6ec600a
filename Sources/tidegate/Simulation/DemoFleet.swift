import Access
import Agent
import Base
import Fleet
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Southbound
import Trust

/// The demo's simulated devices: they live like any others for as long as there is a demo tenant.
struct DemoFleet: Service {
    var server: RunningServer
    var devices = 50
    var interval = Duration.seconds(5)
    var logger: Logger

    /// How often it is looked whether the demo was begun or removed.
    private static let glance = Duration.seconds(1)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                if let tenant = server.parts.access.demo { await live(tenant) }
                try? await Task.sleep(for: Self.glance)
            }
        }
    }

    /// Lets the devices live until the tenant is deleted or the server stops.
    private func live(_ tenant: Tenant) async {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let fleet = try await fleet(of: tenant, on: group)
            await withTaskGroup { tasks in
                tasks.addTask { await fleet.run() }
                tasks.addTask { await ends(tenant) }
                await tasks.next()
                tasks.cancelAll()
            }
        } catch {
            if !Task.isCancelled {
                logger.warning("the demo's devices could not begin", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .seconds(10))
            }
        }
        try? await group.shutdownGracefully()
    }

    /// Returns when the tenant was deleted, as its own guide suggests, or the server stops.
    private func ends(_ tenant: Tenant) async {
        while !Task.isCancelled, server.parts.access.demo?.id == tenant.id { try? await Task.sleep(for: Self.glance) }
        if !Task.isCancelled {
            logger.notice("the demo tenant was deleted, and its simulated devices end with it")
        }
    }

    private func fleet(of tenant: Tenant, on group: any EventLoopGroup) async throws -> SimulatedFleet {
        let parts = server.parts
        let addresses = try await server.southbound.addresses
        try await makeDomains(tenant)
        var members: [SimulatedFleet.Member] = []
        for number in 1...devices {
            try Task.checkCancellation()
            guard let name = Name("meter-\(number)") else { continue }
            members.append(try await member(name, number, tenant: tenant.id))
        }
        let roots = try NIOSSLCertificate.fromPEMBytes(Array(try parts.authorities.serverAuthorityPEM.utf8))
        let address = ServerAddress(
            host: "localhost", devicePort: addresses.device?.port ?? 0, mqttPort: addresses.mqtt?.port ?? 0,
            roots: roots)
        return SimulatedFleet(
            server: address, tenant: tenant.slug.text, members: members, interval: interval, group: group,
            logger: logger)
    }

    /// Where the meters stand: a site's name, and its middle.
    private static let sites: [(name: String, latitude: Double, longitude: Double)] = [
        ("harbour", 53.54, 9.98), ("mill", 52.09, 5.12), ("plant", 45.76, 4.84),
    ]

    private func makeDomains(_ tenant: Tenant) async throws {
        for site in Self.sites {
            guard let name = Name(site.name) else { continue }
            do {
                _ = try await server.parts.access.createDomain(name, tenant: tenant.id, by: .localAdministrator)
            } catch let refusal as Refusal where refusal.kind == .conflict {
                continue
            }
        }
    }

    /// A device of this name with a fresh enrolment token: its key lives only as long as the simulation.
    private func member(_ name: Name, _ number: Int, tenant: TenantID) async throws -> SimulatedFleet.Member {
        let fleet = server.parts.fleet
        let site = Self.sites[number % Self.sites.count]
        // Around the site in a spiral, so that the map has something to put together.
        let (step, ring) = (Double(number % 8) - 3.5, Double(number / 8) - 3)
        var draft = DeviceDraft(name: name)
        draft.domain = site.name
        draft.labels = ["site": site.name]
        draft.components = ["firmware": "1.\(number % 3).0"]
        draft.location = Location(latitude: site.latitude + step * 0.02, longitude: site.longitude + ring * 0.04)
        do {
            let registered = try await fleet.register(draft, in: tenant, by: .localAdministrator)
            return SimulatedFleet.Member(name: name.text, enrolmentToken: registered.token.text)
        } catch let refusal as Refusal where refusal.kind == .conflict {
            let token = try await fleet.reissueEnrolmentToken(name.text, in: tenant, by: .localAdministrator)
            return SimulatedFleet.Member(name: name.text, enrolmentToken: token.text)
        }
    }
}
