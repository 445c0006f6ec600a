import Access
import Base
import Fleet
import HTTPTypes
import HummingbirdCore
import NIOCore
import Operations

/// Work for devices: operations, and the tasks that they are made of.
extension RouteTable {
    static func operations(_ services: NorthboundServices) -> [Route] {
        let operations = services.operations
        let all = "/api/v1/tenants/{tenant}/operations"
        let one = all + "/{operation}"
        let force = Parameter.query(
            "force", .boolean, "End what devices have begun as well, without asking them; they are told nothing.")
        return [
            Route(
                .get, all, "listOperations",
                "Lists the operations, the newest first: all for who sees every device's tasks, their own for others.",
                needs: .taskRead,
                query: Parameter.paging + [
                    .query("state", .choice(Operation.State.allCases.map(\.rawValue)), "Only those in this state.")
                ], success: .page(.operation)
            ) { call in
                let page = try await operations.operations(
                    state: call.query.textIfAny("state").flatMap(Operation.State.init(rawValue:)),
                    after: try call.place(.operations), limit: call.limit, in: call.tenant.id, by: call.principal)
                return .page(page.items.map(\.json), next: page.next.map { Cursor.operations.text($0) })
            },
            Route(
                .post, all, "orderOperation",
                "Orders a task for many devices, or for one; it takes the permission of the task's type for each of them.",
                needs: .taskRead, body: .json(.operationDraft), success: .created(.operation)
            ) { call in
                let operation = try await operations.order(
                    OperationOrder(call.body), in: call.tenant.id, by: call.principal)
                return .created(operation.json, at: "/api/v1/tenants/\(call.tenant.slug)/operations/\(operation.id)")
            },
            Route(
                .post, all + "/list", "orderOperationForList",
                "Orders a task for up to 100,000 devices of a list: a column `device`, and one for each member of the input that differs.",
                needs: .taskRead,
                query: [
                    .query("type", .choice(TaskType.allCases.map(\.rawValue)), "What each device is to do."),
                    .query("title", .text(.free(atMost: OperationLimits.titleCharacters)), "What people call it."),
                    .query("release", .identifier, "The release that an install brings."),
                    .query("starts", .time, "Not before this moment."),
                ], body: .streamed(["text/csv"]), success: .json(.operation)
            ) { call in
                guard let type = call.query.textIfAny("type").flatMap(TaskType.init(rawValue:)) else {
                    throw call.query.fault("type", "is missing")
                }
                var reader = TaskListReader()
                for try await part in call.request.body { try reader.consume(part.readableBytesView) }
                var terms = OperationTerms()
                terms.starts = try call.query.timeIfAny("starts")
                let order = OperationOrder(
                    type, .devices(try reader.finish()), title: call.query.textIfAny("title"),
                    release: try call.query.identifierIfAny("release"), terms: terms)
                return .ok(try await operations.order(order, in: call.tenant.id, by: call.principal).json)
            },
            Route(
                .get, one, "showOperation", "Shows an operation, with how many of its tasks are in each state.",
                needs: .taskRead, success: .json(.operationDetails)
            ) { call in
                let (operation, input) = try await operations.operation(
                    call.path.identifier("operation"), in: call.tenant.id, by: call.principal)
                return .ok(operation.json.with("input", input ?? .null))
            },
            Route(
                .get, one + "/tasks", "listOperationTasks", "Lists an operation's tasks, one for each device.",
                needs: .taskRead, query: Parameter.paging + [.taskState], success: .page(.task)
            ) { call in try await tasks(.of(call.path.identifier("operation")), call, operations) },
            Route(
                .post, one + "/cancel", "cancelOperation",
                "Ends what is still open of an operation; devices that have begun are asked first.",
                needs: .taskManage, query: [force], success: .json(.operation)
            ) { call in
                .ok(
                    try await operations.cancel(
                        call.path.identifier("operation"), force: call.query.boolIfAny("force") ?? false,
                        in: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .post, one + "/retry", "retryOperation", "Tries the failed tasks of an operation again, those alone.",
                needs: .taskManage, success: .json(.operation)
            ) { call in
                .ok(
                    try await operations.retry(
                        call.path.identifier("operation"), in: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .post, one + "/pause", "pauseOperation",
                "Gives out nothing more of an operation until it is resumed; what devices have begun goes on.",
                needs: .taskManage, success: .json(.operation)
            ) { call in
                .ok(
                    try await operations.setPaused(
                        true, call.path.identifier("operation"), in: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .post, one + "/resume", "resumeOperation", "Lets a paused operation go on.", needs: .taskManage,
                success: .json(.operation)
            ) { call in
                .ok(
                    try await operations.setPaused(
                        false, call.path.identifier("operation"), in: call.tenant.id, by: call.principal
                    ).json)
            },
        ] + tasks(operations, force)
    }

    private static func tasks(_ operations: Operations, _ force: Parameter) -> [Route] {
        let one = "/api/v1/tenants/{tenant}/tasks/{task}"
        return [
            Route(
                .get, "/api/v1/tenants/{tenant}/devices/{device}/tasks", "listDeviceTasks",
                "Lists a device's tasks, the newest first.", needs: .taskRead,
                query: Parameter.paging + [.taskState], success: .page(.task)
            ) { call in try await tasks(.device(call.path.text("device")), call, operations) },
            Route(
                .get, one, "showTask", "Shows a task with all that was said of it.", needs: .taskRead,
                success: .json(.taskDetails)
            ) { call in
                let (task, history) = try await operations.task(
                    call.path.identifier("task"), in: call.tenant.id, by: call.principal)
                return .ok(task.json.with("history", .array(history.map(\.json))))
            },
            Route(
                .post, one + "/cancel", "cancelTask", "Ends a task; a device that has begun it is asked first.",
                needs: .taskManage, query: [force], success: .json(.task)
            ) { call in
                .ok(
                    try await operations.cancel(
                        task: call.path.identifier("task"), force: call.query.boolIfAny("force") ?? false,
                        in: call.tenant.id, by: call.principal
                    ).json)
            },
        ]
    }

    private static func tasks(
        _ list: Operations.TaskList, _ call: Call, _ operations: Operations
    ) async throws -> Answer {
        let state = call.query.textIfAny("state").flatMap { TaskState(name: $0) }
        let page = try await operations.tasks(
            list, states: state.map { [$0] } ?? [], after: try call.place(.tasks), limit: call.limit,
            in: call.tenant.id, by: call.principal)
        return .page(page.items.map(\.json), next: page.next.map { Cursor.tasks.text($0) })
    }
}

extension Parameter {
    fileprivate static let taskState = Parameter.query(
        "state", .choice(TaskState.allCases.map(\.name)), "Only those in this state.")
}

extension Call {
    /// The identifier after which a page begins.
    fileprivate func place<Kind>(_ list: Cursor) throws -> Identifier<Kind>? {
        try cursor(list).map { key in
            guard let id = Identifier<Kind>(text: key) else {
                throw input.query.fault("after", "is no cursor of this list")
            }
            return id
        }
    }
}

extension JSONValue {
    /// The same object with one more member.
    fileprivate func with(_ name: String, _ value: JSONValue) -> JSONValue {
        guard case .object(var members) = self else { return self }
        members[name] = value
        return .object(members)
    }
}
