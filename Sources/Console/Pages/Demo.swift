import Access
import Base
import Northbound

/// The demo fleet: begun by the first visitors, and removed again.
extension PageTable {
    static func demo(_ console: ConsoleParts) -> [Page] {
        [
            Page("/demo", needs: .tenantManage) { visit in
                guard try await console.access.offersDemo(visit.tenant, to: visit.principal) else {
                    throw Gatekeeper.notHere
                }
                return .show(DemoPage(beginning: visit))
            },
            Page(posting: "/demo", needs: .tenantManage) { visit in
                let demo = try await console.access.beginDemo(for: visit.tenant, by: visit.principal)
                return .seeOther("/t/\(demo.slug)", done: .demoBegun)
            },
            Page("/demo/remove", needs: .tenantManage) { visit in
                guard visit.tenant.demo, visit.principal.tenant != visit.tenant.id else { throw Gatekeeper.notHere }
                return .show(DemoPage(removing: visit))
            },
            Page(posting: "/demo/remove", needs: .tenantManage) { visit in
                guard visit.tenant.demo else { throw Gatekeeper.notHere }
                try await console.access.removeDemo(by: visit.principal)
                let home = console.access.directory.tenant(visit.principal.tenant)
                return .seeOther(home.map { "/t/\($0.slug)" } ?? "/", done: .demoRemoved)
            },
        ]
    }
}

/// Says what beginning or removing the demo fleet does, before it is done.
struct DemoPage: PageView {
    static let template = "demo"
    static let menu: MenuItem? = .overview
    let title: String
    let told: [String]
    let address: String
    let verb: String
    let look: String
    let back: String
}

extension DemoPage {
    init(beginning visit: TenantVisit) {
        title = "Explore a demo fleet"
        told = [
            "An organisation of its own, Demo, is made: nothing of it mixes with \(visit.tenant.name).",
            "Fifty simulated meters enrol with certificates of their own and report every few seconds, for as long as the "
                + "server runs.",
            "Owners and administrators of \(visit.tenant.name) may do everything in it. You change between the two at the "
                + "top of each page.",
            "It can be removed for good at any time, from its overview.",
        ]
        address = visit.home + "/demo"
        verb = "Begin the demo"
        look = "primary"
        back = visit.home + "/welcome"
    }

    init(removing visit: TenantVisit) {
        title = "Remove the demo fleet?"
        told = [
            "The organisation Demo goes for good, with its devices, readings and keys. The simulation ends.",
            "Your own organisation is not touched. A new demo can be begun while it is the only one here.",
        ]
        address = visit.home + "/demo/remove"
        verb = "Remove the demo"
        look = "primary danger"
        back = visit.home
    }
}
