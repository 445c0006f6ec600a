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

/// The pages about domains and who has access.
extension PageTable {
    static func sites(_ console: ConsoleParts, _ assets: Assets) -> [Page] {
        let script = assets.address("sites.js") ?? ""
        return [
            Page("/sites", needs: .domainRead) { visit in
                try await .show(SitesPage(console, visit, script: script), live: "\(visit.home)/live")
            },
            Page(posting: "/sites/domains/{domain}/create", needs: .domainManage) { visit in
                try await DomainActs.create(console, visit)
            },
            Page(posting: "/sites/domains/{domain}/rename", needs: .domainManage) { visit in
                try await DomainActs.rename(console, visit)
            },
            Page(posting: "/sites/domains/{domain}/delete", needs: .domainManage) { visit in
                try await DomainActs.delete(console, visit)
            },
            Page("/sites/move", needs: .domainRead) { visit in try await .show(MovePage(console, visit)) },
            Page(posting: "/sites/move", needs: .domainRead) { visit in try await MovePage.run(console, visit) },
            Page(posting: "/sites/moves/{move}/undo", needs: .domainRead) { visit in
                try await MovePage.undo(console, visit)
            },
            Page("/sites/grant", needs: .principalManage) { visit in
                try await .show(GrantPage.form(console, visit))
            },
            Page(posting: "/sites/grant", needs: .principalManage) { visit in
                try await GrantPage.run(console, visit)
            },
            Page("/sites/grants/{grant}/end", needs: .principalManage) { visit in
                try await .show(GrantEndPage(console, visit))
            },
            Page(posting: "/sites/grants/{grant}/end", needs: .principalManage) { visit in
                try await GrantEndPage.run(console, visit)
            },
            Page(posting: "/sites/grants/{change}/undo", needs: .principalManage) { visit in
                try await GrantEndPage.undo(console, visit)
            },
            Page("/sites/changes", needs: .domainRead) { visit in try await .show(ChangesPage(console, visit)) },
            Page("/sites/people", needs: .principalRead) { visit in try await .show(PeoplePage(console, visit)) },
            Page("/sites/people/{principal}", needs: .tenantRead) { visit in
                try await .show(PersonPage(console, visit))
            },
            Page("/sites/shares", needs: .shareRead) { visit in try await .show(SharesPage(console, visit)) },
            Page(posting: "/sites/shares", needs: .shareManage) { visit in try await SharesPage.run(console, visit) },
        ]
            + ["accept", "decline", "end"].map { act in
                Page(posting: "/sites/shares/{share}/\(act)", needs: .shareManage) { visit in
                    try await SharesPage.answer(console, visit, act)
                }
            }
    }
}
