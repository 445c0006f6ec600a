import Audit
import Base
import Foundation
import Logging
import Storage
import Synchronization
import Testing
import Trust

@testable import Delivery

/// A queue with two tenants on a fresh database, whose attempts end as the test says.
struct DeliveryFixture: Sendable {
    /// What attempts were made, and how they end.
    final class Receiver: Sendable {
        private let state = Mutex<(shipments: [Shipment], judge: @Sendable (Shipment) -> Outcome)>(
            ([], { _ in .delivered("HTTP 200") }))

        var shipments: [Shipment] { state.withLock { $0.shipments } }

        func answer(_ judge: @escaping @Sendable (Shipment) -> Outcome) { state.withLock { $0.judge = judge } }

        func take(_ shipment: Shipment) -> Outcome {
            let judge = state.withLock { state in
                state.shipments.append(shipment)
                return state.judge
            }
            return judge(shipment)
        }
    }

    let database: Database
    let directory: String
    let time: AuditTestClock
    let keyRing: KeyRing
    let audit: AuditLog
    let receiver = Receiver()
    let acme = TenantID(high: 7, low: 7)
    let rival = TenantID(high: 8, low: 8)
    let admin = Actor(kind: .user, id: "ada", name: "Ada")

    static let server = MailServer(
        host: "mail.example.com", port: 587, security: .starttls,
        from: MailAddress("fleet@example.com") ?? { preconditionFailure("the address is written here") }())

    static func with(
        _ engine: TestDatabase.Engine, _ body: (DeliveryFixture) async throws -> Void
    ) async throws {
        try await TestDatabase.withDirectory { directory in
            try await engine.withDatabase([TrustSchema.part, AuditSchema.part, DeliverySchema.part]) { database in
                let time = AuditTestClock()
                let keyRing = try KeyRing(
                    directory: "\(directory)/keys", columns: AuditSchema.sealedColumns + DeliverySchema.sealedColumns,
                    clock: time.clock)
                let fixture = DeliveryFixture(
                    database: database, directory: directory, time: time, keyRing: keyRing,
                    audit: try AuditLog(
                        database: database, keyRing: keyRing,
                        deployment: #require(DeploymentName("fleet.example.com")), directory: nil, clock: time.clock,
                        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
                try await database.platform.write { transaction in
                    for tenant in [.platform, fixture.acme, fixture.rival] {
                        try keyRing.createTenantKey(tenant, in: transaction)
                    }
                }
                try await body(fixture)
            }
        }
    }

    /// A server process with this name.
    func delivery(
        _ node: String = "one", mailServer: MailServer? = nil,
        transport: (@Sendable (Shipment) async -> Outcome)? = nil
    ) -> Delivery {
        Delivery(
            database: database, keyRing: keyRing, audit: audit,
            settings: DeliverySettings(
                mailServer: mailServer, host: "fleet.example.com", node: node, interval: .milliseconds(10)),
            metrics: Metrics(), clock: time.clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            transport: transport ?? { [receiver] in receiver.take($0) })
    }

    @discardableResult
    func send(_ message: OutboundMessage, _ tenant: TenantID? = nil, by delivery: Delivery) async throws -> DeliveryID {
        let tenant = tenant ?? acme
        return try await database.tenant(tenant).write { try delivery.send(message, tenant: tenant, in: $0) }
    }

    /// Attempts what is due once.
    @discardableResult
    func round(_ delivery: Delivery) async throws -> [DeliveryID] {
        let claims = try await delivery.claim()
        for claim in claims { await delivery.attempt(claim) }
        return claims.map(\.id)
    }

    func webhook(_ name: String, events: [String] = [], of tenant: TenantID? = nil, by delivery: Delivery) async throws
        -> Outlet
    {
        try await delivery.createOutlet(
            OutletDraft(
                name: #require(Name(name)), kind: .webhook,
                settings: [
                    "url": .string("https://\(name).example.net/hook"), "events": .array(events.map { .string($0) }),
                ]), tenant: tenant ?? acme, by: admin
        ).outlet
    }

    func syslog(_ name: String, start: String = "beginning", by delivery: Delivery) async throws -> Outlet {
        try await delivery.createOutlet(
            OutletDraft(
                name: #require(Name(name)), kind: .syslog,
                settings: ["host": "siem.example.net", "start": .string(start)]), tenant: acme, by: admin
        ).outlet
    }

    /// Adds entries to acme's log and signs for them.
    func record(_ numbers: Range<Int>, code: String = "device.registered") async throws {
        try await database.tenant(acme).write { transaction in
            for number in numbers {
                try audit.record(
                    AuditEntry(
                        AuditCode(code, "A test."), tenant: acme, actor: admin,
                        object: AuditObject(kind: "device", id: "d\(number)")), in: transaction)
            }
        }
        time.advance(by: .seconds(1))
        try await audit.settle()
    }

    /// The index parameters of all audit lines that were received, in their order.
    var receivedIndexes: [Int] {
        receiver.shipments.flatMap { shipment -> [Int] in
            guard case .lines(_, _, let bytes) = shipment.form else { return [] }
            return String(decoding: bytes, as: UTF8.self).components(separatedBy: " index=\"").dropFirst().compactMap {
                Int($0.prefix { $0 != "\"" })
            }
        }
    }
}
