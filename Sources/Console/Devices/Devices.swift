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

/// The pages about devices.
extension PageTable {
    static func devices(_ console: ConsoleParts) -> [Page] {
        [
            Page("/devices", needs: .deviceRead) { visit in
                try await .show(DevicesPage(console, visit), live: "\(visit.home)/live")
            },
            Page("/devices/{device}", needs: .deviceRead) { visit in
                let page = try await DeviceView(console, visit)
                let live = page.canRead ? "\(visit.home)/live?device=\(page.id)" : "\(visit.home)/live"
                return .show(page, live: live)
            },
            Page(posting: "/devices/{device}/act", needs: .deviceRead) { visit in
                try await DeviceAct.run(console, visit)
            },
            Page(posting: "/devices/import/tokens", needs: .deviceManage) { visit in ImportPage.tokens(visit) },
            Page("/devices/bulk", needs: .deviceManage) { visit in try await .show(BulkListPage(console, visit)) },
            Page(posting: "/devices/bulk", needs: .deviceManage) { visit in try await BulkAct.run(console, visit) },
            Page("/devices/bulk/{run}", needs: .deviceManage) { visit in
                try await .show(BulkRunPage(console, visit), live: "\(visit.home)/live")
            },
            Page(posting: "/devices/bulk/{run}/stop", needs: .deviceManage) { visit in
                try await console.decideBulk(visit, resumes: false)
            },
            Page(posting: "/devices/bulk/{run}/resume", needs: .deviceManage) { visit in
                try await console.decideBulk(visit, resumes: true)
            },
            Page(posting: "/devices/views", needs: .deviceRead) { visit in
                guard let name = visit.form.text("name") else {
                    throw Refusal(.invalid, "view.invalid", "Give the view a name.")
                }
                let query = DeviceSelection(FormFields(visit.form.exact("query").drop { $0 == "?" }) ?? FormFields())
                    .with { _ in }.query
                try await console.preferences.save(name, query, of: visit)
                return .seeOther("\(visit.home)/devices\(query)", done: .viewSaved)
            },
            Page(posting: "/devices/views/remove", needs: .deviceRead) { visit in
                try await console.preferences.remove(visit.form.exact("id"), of: visit)
                return .seeOther("\(visit.home)/devices", done: .viewRemoved)
            },
            Page(posting: "/devices/preferences", needs: .deviceRead) { visit in
                let columns = visit.form.texts("column").compactMap { DeviceColumn(rawValue: $0) }
                try await console.preferences.set(
                    "devices.columns", columns.map(\.rawValue).joined(separator: ","), of: visit)
                if let size = visit.form.text("size").flatMap({ Int($0) }), ConsoleLimits.pageSizes.contains(size) {
                    try await console.preferences.set("devices.size", String(size), of: visit)
                }
                let query = DeviceSelection(FormFields(visit.form.exact("query").drop { $0 == "?" }) ?? FormFields())
                return .seeOther("\(visit.home)/devices\(query.with { _ in }.query)")
            },
            Page("/devices/connect", needs: .deviceManage) { visit in
                try await .show(ConnectForm(console, visit))
            },
            Page(posting: "/devices/connect", needs: .deviceManage) { visit in
                try await ConnectForm.register(console, visit)
            },
            Page("/devices/import", needs: .deviceManage) { visit in
                .show(ImportPage(visit, text: "", fault: nil))
            },
            Page(posting: "/devices/import", needs: .deviceManage) { visit in
                try await ImportPage.answer(console, visit)
            },
        ]
    }
}
