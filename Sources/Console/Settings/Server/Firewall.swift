import Access
import Base
import Delivery

/// The page about what a firewall must let through.
extension PageTable {
    static func firewall(_ console: ConsoleParts) -> [Page] {
        [console.settings("", .firewall) { try await .show(FirewallPages.record($0)) }]
    }
}

enum FirewallPages {
    static func record(_ visit: SettingsVisit) async throws -> SettingsRecord {
        let rules = FirewallRules(host: visit.console.addresses.host, doors: visit.console.doors)
        return SettingsRecord(
            visit.place, "Firewall",
            lead: "Made from what this server runs with now. Nothing is ever opened towards a device.",
            panels: [
                .init(
                    "site", "Where devices are: outgoing only",
                    explains: "Devices call out and keep the connection. Their sites need no open port, no address "
                        + "translation inwards and no VPN. A device also needs the right time, to check certificates.",
                    table: .init(
                        columns: ["Port", "Direction", "To", "Protocol", "Why"],
                        tableRows: rules.site.map { row($0, "outgoing", rules.host) })),
                .init(
                    "server", "Where the server is: incoming",
                    table: .init(
                        columns: ["Port", "Direction", "From", "Protocol", "Why"],
                        tableRows: rules.doors.map { door in
                            row(door, door.isLocal ? "no rule" : "incoming", door.isLocal ? "itself only" : door.from)
                        })),
                .init(
                    "out", "Where the server is: outgoing",
                    explains: "The server calls nobody but the outlets that somebody has set up, and name servers.",
                    none: "No outlet of this organisation, or none that you may see.",
                    table: try await outgoing(visit)),
                .init("nftables", "nftables", explains: FirewallRules.hint, text: rules.nftables),
                .init("iptables", "iptables", explains: FirewallRules.hint, text: rules.iptables),
                .init("plain", "In words", explains: "To send to whoever runs the firewall.", text: rules.plain),
            ])
    }

    private static func row(_ door: ServerDoor, _ direction: String, _ end: String) -> SettingsList.Row {
        .init(
            name: .text("\(door.port)/tcp"),
            cells: [.text(direction), .text(end), .text(door.protocol), .text(door.why)])
    }

    private static func outgoing(_ visit: SettingsVisit) async throws -> SettingsRecord.Table? {
        guard try await visit.isAllowed(.deliveryRead) else { return nil }
        let outlets = try await visit.console.delivery.outlets(of: visit.tenantID).filter(\.isActive)
        guard !outlets.isEmpty else { return nil }
        return .init(
            columns: ["Outlet", "To", "Why"],
            tableRows: outlets.map {
                .init(
                    name: .text($0.name.text, link: visit.address(of: .outlets, $0.id.text)),
                    cells: [.text($0.place), .text($0.kind.words)])
            })
    }
}

/// What a firewall must let through, made from the listeners that are open.
struct FirewallRules: Sendable {
    /// The name that devices and people find the server by.
    let host: String
    let doors: [ServerDoor]

    /// What devices reach, so what their sites let out.
    var site: [ServerDoor] { doors.filter(\.isForDevices) }
    private var open: [ServerDoor] { doors.filter { !$0.isLocal } }

    private static let onlyLocal = "every listener is reached from the server itself only"

    /// A line for each listener that others reach, nil when there is none.
    private func incoming(_ line: (ServerDoor) -> String) -> String? { open.isEmpty ? nil : open.map(line).lines }

    static let hint =
        "Lines to add to the rules that are there. Names are looked up when the lines are read: run them again when the "
        + "server's address changes."

    var nftables: String {
        """
        # Where devices are
        nft add rule inet filter forward ct state established,related accept
        \(site.map { "nft add rule inet filter forward ip daddr \(host) tcp dport \($0.port) accept" }.lines)
        # Where the server is
        \(incoming { "nft add rule inet filter input tcp dport \($0.port) accept" } ?? "# nothing: \(Self.onlyLocal)")
        """
    }

    var iptables: String {
        """
        # Where devices are
        iptables -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
        \(site.map { "iptables -A FORWARD -p tcp -d \(host) --dport \($0.port) -j ACCEPT" }.lines)
        # Where the server is
        \(incoming { "iptables -A INPUT -p tcp --dport \($0.port) -j ACCEPT" } ?? "# nothing: \(Self.onlyLocal)")
        """
    }

    var plain: String {
        """
        Where devices are, outgoing only; nothing incoming:
        \(site.map { "  TCP \($0.port) to \(host): \($0.why) (\($0.protocol))" }.lines)
        Where the server is, incoming:
        \(incoming { "  TCP \($0.port) from \($0.from): \($0.why) (\($0.protocol))" } ?? "  nothing: \(Self.onlyLocal)")
        """
    }
}

extension ServerDoor {
    /// From where it is reached.
    var from: String {
        switch visitors {
        case .people: "people and programs"
        case .devices, .mqtt: "devices"
        case .programs: "programs"
        case .platform: "the platform's staff"
        case .metrics: "monitoring"
        }
    }
}

extension [String] {
    fileprivate var lines: String { joined(separator: "\n") }
}
