import Access
import Base
import Storage
import Trust

/// The page about the certificate authorities of the tenant and of the deployment.
extension PageTable {
    static func authorities(_ console: ConsoleParts) -> [Page] {
        [console.settings("", .certificates) { try await .show(AuthorityPages.record($0)) }]
    }
}

enum AuthorityPages {
    static func record(_ visit: SettingsVisit) async throws -> SettingsRecord {
        let console = visit.console
        let (issuing, tenant) = (console.issuing, visit.tenantID)
        let keyRing = console.keyRing
        let (own, keys) = try await console.database.tenant(tenant).read {
            (try issuing.overview(of: tenant, in: $0), try keyRing.overview(of: tenant, in: $0))
        }
        let above = try console.authorities.overview()
        let now = console.clock.now
        return SettingsRecord(
            visit.place, "Certificates",
            lead: "Of the deployment \(console.authorities.deployment). Compare fingerprints by a second way.",
            panels: [
                .init(
                    "own", "This organisation's issuing authority",
                    explains: "It signs the certificates of this organisation's devices and no others. It is signed "
                        + "again by itself, with the same key, when two thirds of its time are over; devices notice "
                        + "nothing. One that signs no more stays until the certificates it has signed have ended.",
                    none: "None: this organisation has no devices of its own.",
                    table: own.isEmpty ? nil : table(own, now)),
                .init(
                    "above", "The deployment's authorities",
                    explains: "Devices' authorities hang from the root by the intermediate; the server's authority "
                        + "signs what browsers and devices check this server by.", table: table(above, now)),
                .init(
                    "keys", "The key of what is sealed",
                    explains:
                        "Secrets of this organisation in the database are sealed by its own key; each sort below has "
                        + "one of its own, derived from it. A retired generation is kept until all that it sealed is "
                        + "sealed again, which goes on by itself, or is gone; then it is destroyed. A new generation "
                        + "is made by who runs the deployment (platform.manage), on the server's own machine:",
                    facts: [.init("Sealed are", .tags(keyRing.purposes))], table: table(keys),
                    text: "tidegate admin keys rotate --tenant \(visit.visit.tenant.slug)"),
            ])
    }

    private static func table(_ keys: [TenantKeyOverview]) -> SettingsRecord.Table {
        SettingsRecord.Table(
            columns: ["Generation", "State", "Made", "Retired"],
            tableRows: keys.map { key in
                .init(
                    name: .text(String(key.generation)),
                    cells: [
                        .badge(key.retired == nil ? .good("In use") : .off("Retired")), .time(key.made),
                        .time(key.retired, else: "–"),
                    ])
            })
    }

    private static func table(_ authorities: [AuthorityOverview], _ now: Timestamp) -> SettingsRecord.Table {
        SettingsRecord.Table(
            columns: ["For", "Name", "State", "From", "Until", "SHA-256"],
            tableRows: authorities.map { authority in
                .init(
                    name: .text(authority.sort.words),
                    cells: [
                        .text(authority.subject), .badge(Badge(authority, now)), .day(authority.notBefore),
                        .day(authority.notAfter), .code(authority.fingerprint.text),
                    ])
            })
    }
}

extension SettingsCell {
    /// A day, without the time of day, in one piece.
    static func day(_ time: Timestamp) -> SettingsCell {
        .text(String(time.rfc3339.prefix(10)).replacing("-", with: "\u{2011}"))
    }
}

extension AuthorityOverview.Sort {
    /// What it is for, in a few words.
    var words: String {
        switch self {
        case .root: "Root"
        case .intermediate: "Intermediate"
        case .issuing: "Devices"
        case .server: "This server"
        }
    }
}

extension Badge {
    /// How an authority stands.
    init(_ authority: AuthorityOverview, _ now: Timestamp) {
        if !authority.signs {
            self = .off("Signs no more")
        } else if authority.notAfter <= now {
            self = .critical("Expired")
        } else if authority.notAfter < now + .seconds(30 * 86_400) {
            self = .warning("Ends soon")
        } else {
            self = .good("Good")
        }
    }
}
