import Access
import Base
import Northbound
import Operations

/// The pages about work for devices.
extension PageTable {
    static func tasks(_ console: ConsoleParts) -> [Page] {
        [
            Page("/tasks", needs: .taskRead) { visit in
                try await .show(OperationsPage(console, visit), live: "\(visit.home)/live")
            },
            Page("/tasks/new", needs: .taskRead) { visit in
                try await .show(OrderPage(console, visit, visit.query))
            },
            Page(posting: "/tasks/new", needs: .taskRead) { visit in try await OrderPage.take(console, visit) },
            Page("/tasks/{operation}", needs: .taskRead) { visit in
                try await .show(OperationPage(console, visit), live: "\(visit.home)/live")
            },
            Page("/tasks/{operation}/tasks.csv", needs: .taskRead) { visit in
                try await OperationPage.file(console, visit)
            },
            Page("/tasks/task/{task}", needs: .taskRead) { visit in
                try await .show(TaskPage(console, visit), live: "\(visit.home)/live")
            },
            Page(posting: "/tasks/task/{task}/cancel", needs: .taskManage) { visit in
                try await TaskPage.cancel(console, visit)
            },
        ]
            + OperationAct.allCases.flatMap { act in
                [
                    Page("/tasks/{operation}/\(act.rawValue)", needs: .taskManage) { visit in
                        try await act.ask(console, visit)
                    },
                    Page(posting: "/tasks/{operation}/\(act.rawValue)", needs: .taskManage) { visit in
                        try await act.run(console, visit)
                    },
                ]
            }
    }
}
