import Access
import Audit
import Base
import Bus
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import SignIn
import Storage
import Telemetry
import Trust

/// One device: where it stands, what it says, what proves it, what was done with it.
struct DeviceView: PageView {
    static let template = "device"
    static let menu: MenuItem? = .devices

    struct Fact: Sendable {
        let label: String
        let text: String?
        let time: Moment?
        let tags: [String]

        init(_ label: String, _ text: String? = nil, time: Moment? = nil, tags: [String] = []) {
            self.label = label
            self.text = text
            self.time = time
            self.tags = tags
        }

        var isEmpty: Bool { text == nil && time == nil && tags.isEmpty }
    }

    struct Credential: Sendable {
        let kind: String
        let channel: String
        let print: String
        let state: Badge
        let until: Moment?
    }

    struct Series: Sendable {
        let seriesName: String
        let unit: String
        let value: String
        let at: Moment?
        let spark: Spark?
        let explorerAddress: String
    }

    /// A line without axes.
    struct Spark: Sendable {
        let points: String
        let words: String
    }

    /// What it is wanted to be, in a line.
    struct Configuration: Sendable {
        let configurationAddress: String
        let configurationWords: String
        let configurationBadge: Badge
    }

    /// Who can reach the device.
    struct Reachers: Sendable {
        let holders: [HolderLine]
        let grantAddress: String?
    }

    struct Trail: Sendable {
        let entries: [Entry]
    }

    struct Entry: Sendable {
        let code: String
        let actor: String
        let outcome: String?
        let time: Moment
    }

    let title: String
    let id: String
    let address: String
    let list: String
    let domain: String?
    let badge: Badge
    let presenceState: String
    let seen: Moment?
    let facts: [Fact]
    let credentials: [Credential]
    let hasCredentials: Bool
    let canRead: Bool
    let series: [Series]
    let hasSeries: Bool
    let isWaiting: Bool
    let explorer: String
    let configuration: Configuration?
    let work: DeviceWork?
    let firmware: DeviceFirmware?
    let heartbeat: DeviceHeartbeat?
    let alerts: DeviceAlerts?
    let reach: Reachers?
    let audit: Trail?
    let canManage: Bool
    let canSuspend: Bool
    let canResume: Bool
    let canConnect: Bool
    let canRevoke: Bool
    let canDelete: Bool
}

extension DeviceView {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        let details = try await console.fleet.show(visit.path("device"), in: tenant, by: principal)
        let device = details.device
        let held = try await console.permissions(of: principal, tenant: tenant, device: device)
        title = device.name.text
        id = device.id.text
        list = "\(visit.home)/devices"
        address = "\(list)/\(device.name)"
        let places =
            held.contains(.domainRead)
            ? DomainNames(try await console.access.domains(tenant: tenant, by: principal)) : DomainNames([])
        domain = places.label(device.domain)
        badge = Badge(device.status, details.presence)
        presenceState = device.status == .active ? "live" : "fixed"
        seen = Moment(details.presence.lastSeen)
        facts = Self.facts(details, places)
        credentials = Self.credentials(details, now: console.clock.now)
        hasCredentials = !credentials.isEmpty
        canRead = held.contains(.telemetryRead)
        let readable = canRead ? try await console.readable(device.id.text, visit) : nil
        explorer = "\(visit.home)/telemetry?device=\(device.name.text.percentEncoded)"
        let found = try await readable.asyncMap { try await Readings.latest(console, tenant, $0) } ?? []
        let explorer = explorer
        series = found.map { series in
            Series(
                seriesName: series.name, unit: series.unit, value: series.latest ?? "–", at: Moment(series.at),
                spark: series.spark(width: 240, height: 44).map { Spark(points: $0, words: series.words) },
                explorerAddress: "\(explorer)&series=\(series.name.percentEncoded)")
        }
        hasSeries = !series.isEmpty
        isWaiting = device.status == .registered
        let wanted = try await console.fleet.desired(of: device.id.text, in: tenant, by: principal)
        configuration = Configuration(
            configurationAddress: "\(address)/configuration",
            configurationWords: wanted.document.version == 0
                ? "Nothing is desired yet." : "Version \(wanted.document.version).",
            configurationBadge: ConfigurationPage.Effective.badge(wanted.drift))
        work = held.contains(.taskRead) ? try await DeviceWork(console, visit, device, held) : nil
        let firmware = try await DeviceFirmware(console, visit, device, held)
        self.firmware = firmware.hasVersions || firmware.hasCampaigns ? firmware : nil
        heartbeat = device.status == .active ? try await DeviceHeartbeat(console, visit, device) : nil
        alerts = held.contains(.alertRead) ? try await DeviceAlerts(console, visit, device) : nil
        reach =
            held.contains(.reachRead)
            ? try await Self.reachers(console, visit, device, held) : nil
        audit =
            held.contains(.auditRead)
            ? Trail(entries: try await Self.trail(console, visit, device.id)) : nil
        canManage = held.contains(.deviceManage) || held.contains(.deviceRevoke)
        canSuspend = held.contains(.deviceManage) && (device.status == .active || device.status == .registered)
        canResume = held.contains(.deviceManage) && device.status == .suspended
        canConnect = held.contains(.deviceManage) && device.status == .registered
        canRevoke = held.contains(.deviceRevoke) && device.status != .revoked
        canDelete = held.contains(.deviceRevoke)
    }

    private static func facts(_ details: DeviceDetails, _ places: DomainNames) -> [Fact] {
        let device = details.device
        let facts = [
            Fact("Identifier", device.id.text), Fact("Model", details.model?.name.text),
            Fact("Domain", places.label(device.domain)), Fact("Place", device.place),
            Fact("Position", device.location.map { "\($0.latitude), \($0.longitude)" }),
            Fact("Can", tags: device.capabilities.list), Fact("Hardware", tags: device.identifiers.map(\.description)),
            Fact("Labels", tags: device.labels.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }),
            Fact("Registered", time: Moment(device.created)), Fact("Enrolled", time: Moment(device.enrolled)),
            Fact("Connected since", time: details.presence.isOnline ? Moment(details.presence.connected) : nil),
            Fact("Connection", details.presence.transport), Fact("Address", details.presence.address),
            Fact("Enrolment token until", time: Moment(details.enrolment)),
        ]
        return facts.filter { !$0.isEmpty }
    }

    private static func credentials(_ details: DeviceDetails, now: Timestamp) -> [Credential] {
        details.certificates.map { certificate in
            let state: Badge =
                switch certificate.status {
                case .active where certificate.notAfter < now: .critical("Expired")
                case .active where certificate.notAfter < now + .seconds(7 * 86_400): .warning("Ends soon")
                case .active: .good("Good")
                case .revoked: .off("Ended")
                }
            return Credential(
                kind: "Certificate", channel: certificate.channel.rawValue,
                print: String(certificate.fingerprint.text.prefix(32)), state: state,
                until: Moment(certificate.notAfter))
        }
            + details.accessTokens.map { token in
                Credential(
                    kind: "Access token", channel: "weaker than a certificate", print: token.id.text,
                    state: .warning("In use"), until: nil)
            }
    }

    private static func reachers(
        _ console: ConsoleParts, _ visit: TenantVisit, _ device: Device, _ held: Set<Permission>
    ) async throws -> Reachers {
        let found = try await console.access.reach(
            device: device.id.text, tenant: visit.tenant.id, by: visit.principal)
        let canManage = held.contains(.principalManage)
        let lines = HolderLines(
            found, at: nil, try await console.tree(visit), console, visit, canManage: canManage)
        return Reachers(
            holders: lines.lines,
            grantAddress: canManage ? "\(visit.home)/sites/grant?device=\(device.name)" : nil)
    }

    private static func trail(
        _ console: ConsoleParts, _ visit: TenantVisit, _ device: DeviceID
    ) async throws -> [Entry] {
        let page = try await console.audit.page(
            tenant: visit.tenant.id, filter: AuditFilter(objectKind: "device", objectID: device.text), limit: 12,
            reader: visit.principal.actor(in: visit.tenant.id))
        return page.entries.map { entry in
            Entry(
                code: entry.code, actor: entry.actor.name.isEmpty ? entry.actor.id : entry.actor.name,
                outcome: entry.outcome == .success ? nil : entry.outcome.rawValue, time: Moment(entry.time))
        }
    }
}
