import Base
import Fleet
import Operations

/// The shapes of operations and tasks, as they come in and go out.
extension Shape {
    private static let seconds = Shape.integer(0...Int64(366 * 86_400))

    private static let window = Shape.object([
        .optional(
            "days", .array(of: .choice(MaintenanceWindow.days), atMost: 7),
            "On which days it begins; every day when left out."),
        .required("from", .text(.free(atMost: 5)), "When it begins, such as 22:30."),
        .required("to", .text(.free(atMost: 5)), "When it ends; before its beginning is on the next day."),
        .optional("zone", .text(.free(atMost: 64)), "On whose clocks, such as Europe/Berlin; UTC when left out."),
    ])

    static let operationTerms = Shape.named(
        "OperationTerms",
        .object([
            .optional("starts", .nullable(.time), "Not before this moment; at once when left out."),
            .optional(
                "life", seconds, "Seconds within which a device must have called for its task; a week when left out."),
            .optional("timeout", seconds, "Seconds that a device may take over it; an hour when left out."),
            .optional("pause", seconds, "Seconds before it is tried again; 300 when left out."),
            .optional(
                "retries",
                .object(
                    TaskFailure.allCases.map {
                        .optional($0.rawValue, .integer(0...10), "How often it is tried again after this.")
                    }), "How often it is tried again after each kind of failure; never when left out."),
            .optional(
                "windows", .array(of: window, atMost: OperationLimits.windows),
                "When tasks are given out; at any time when there are none."),
            .optional("confirm", .boolean, "Whether each device is asked first whether it may install."),
        ]))

    static let operationTarget = Shape.object([
        .optional("filter", .nullable(.text(.free(atMost: FleetLimits.filterBytes))), "Those that match; null is all."),
        .optional("domain", .text, "Those in this domain and below."),
        .optional(
            "devices",
            .array(
                of: .object([
                    .required("device", .text(.nameOrIdentifier), "The device's name or identifier."),
                    .optional("input", .map(of: .any, atMost: 100), "What it alone is brought, over the common input."),
                ]), atMost: OperationLimits.namedDevices), "These."),
    ])

    static let operationDraft = Shape.named(
        "OperationDraft",
        .object([
            .required("type", .choice(TaskType.allCases.map(\.rawValue)), "What each device is to do."),
            .optional("title", .text(.free(atMost: OperationLimits.titleCharacters)), "What people call it."),
            .required("target", operationTarget, "Which devices: one of filter, domain and devices."),
            .optional("release", .identifier, "The release that an install brings."),
            .optional(
                "input", .map(of: .any, atMost: 100),
                "What each device is brought; `$generate` and `$random` make a value for each."),
            .optional("terms", operationTerms, "When, for how long and how often."),
            .optional(
                "rollback", .boolean, "Whether an install may bring an earlier release than what a device has."),
        ]))

    private static let operationMembers: [Member] = [
        .required("id", .identifier, "The identifier."),
        .required("type", .choice(TaskType.allCases.map(\.rawValue)), "What each device is to do."),
        .required("title", .text, "What people call it."),
        .required("target", .any, "Which devices, as it was ordered."),
        .required("release", .nullable(.identifier), "The release that an install brings."),
        .required("terms", operationTerms, "When, for how long and how often."),
        .required("creator", .identifier, "Who ordered it."),
        .required("creatorName", .text, "Their name when they ordered it."),
        .required("state", .choice(Operation.State.allCases.map(\.rawValue)), "How far it has come."),
        .required("created", .time, "When it was ordered."),
        .required("started", .nullable(.time), "When the first task was queued."),
        .required("finished", .nullable(.time), "When the last task ended."),
        .required("total", .count, "How many devices it is for."),
        .required("ended", .count, "How many of its tasks are over."),
        .required("tasks", .map(of: .count, atMost: TaskState.allCases.count), "How many tasks are in each state."),
    ]
    static let operation = Shape.named("Operation", .object(operationMembers))
    static let operationDetails = Shape.named(
        "OperationDetails",
        .object(
            operationMembers + [
                .required("input", .nullable(.any), "What each device is brought; null when that may be a secret.")
            ]))

    private static let taskMembers: [Member] = [
        .required("id", .identifier, "The identifier."),
        .required("number", .integer(0...Int64(Int32.max)), "The number by which update clients know this attempt."),
        .required("device", .identifier, "Whose work it is."),
        .required("deviceName", .text, "The device's name."),
        .required("operation", .identifier, "The operation that it is part of."),
        .required("type", .choice(TaskType.allCases.map(\.rawValue)), "What it asks."),
        .required("state", .choice(TaskState.allCases.map(\.name)), "How far it has come."),
        .required("release", .nullable(.identifier), "The release that an install brings."),
        .required("attempt", .count, "How often it was tried, this time included."),
        .required("created", .time, "When it was made."),
        .required("changed", .time, "When its state changed last."),
        .required("due", .nullable(.time), "When something happens to it by itself; null when it is over."),
        .required("code", .nullable(.integer(Int64.min...Int64.max)), "The number of the device's last status."),
        .required("detail", .nullable(.text(.free(atMost: 1000))), "The device's last words about it."),
    ]
    static let task = Shape.named("Task", .object(taskMembers))
    static let taskDetails = Shape.named(
        "TaskDetails",
        .object(
            taskMembers + [
                .required(
                    "history",
                    .array(
                        of: .object([
                            .required("time", .time, "When."),
                            .required("word", .text, "How the task stood, in the words of whoever said it."),
                            .required("code", .nullable(.integer(Int64.min...Int64.max)), "A number beside it."),
                            .required("details", .array(of: .text, atMost: 100), "What the device said beside it."),
                        ]), atMost: 1000), "All that was said of it, the oldest first.")
            ]))
}

extension OperationOrder {
    /// The order in a checked body.
    init(_ body: Fields) throws {
        guard let type = TaskType(rawValue: try body.text("type")) else {
            throw body.fault("type", "is no type of task")
        }
        self.init(
            type, try OperationTarget(body.fields("target") ?? body), title: body.textIfAny("title"),
            release: try body.identifierIfAny("release"),
            input: body.value("input") ?? [:], terms: try OperationTerms(body.fields("terms")))
        isRollback = body.boolIfAny("rollback") ?? false
    }
}

extension OperationTarget {
    /// The devices that checked fields name.
    init(_ fields: Fields) throws {
        let ways = ["filter", "domain", "devices"].filter(fields.contains)
        guard ways.count == 1 else { throw fields.fault("target", "has one of filter, domain and devices") }
        self =
            switch ways[0] {
            case "filter": .filter(fields.textIfAny("filter"))
            case "domain": .domain(try fields.text("domain"))
            default:
                .devices(
                    try fields.list("devices").map { .init(try $0.text("device"), input: $0.value("input")) })
            }
    }
}

extension OperationTerms {
    /// The terms in checked fields; what is left out is as usual.
    init(_ fields: Fields?) throws {
        self.init()
        guard let fields else { return }
        starts = try fields.timeIfAny("starts")
        if let life = fields.integerIfAny("life") { self.life = Int64(life) }
        if let timeout = fields.integerIfAny("timeout") { self.timeout = Int64(timeout) }
        if let pause = fields.integerIfAny("pause") { self.pause = Int64(pause) }
        let retries = fields.fields("retries")
        for failure in TaskFailure.allCases { self.retries[failure] = retries?.integerIfAny(failure.rawValue) }
        confirm = fields.boolIfAny("confirm") ?? false
        windows = try fields.list("windows").map { try MaintenanceWindow($0.json) }
    }

    var shown: JSONValue {
        [
            "starts": .time(starts), "life": .integer(life), "timeout": .integer(timeout), "pause": .integer(pause),
            "retries": .object(
                Dictionary(uniqueKeysWithValues: retries.map { ($0.key.rawValue, .integer(Int64($0.value))) })),
            "windows": .array(windows.map(\.json)), "confirm": .bool(confirm),
        ]
    }
}

extension Operation {
    var json: JSONValue {
        [
            "id": .string(id.text), "type": .string(type.rawValue), "title": .string(title), "target": target,
            "release": release.map { .string($0.text) } ?? .null, "terms": terms.shown,
            "creator": .string(creator.text), "creatorName": .string(creatorName), "state": .string(state.rawValue),
            "created": .time(created), "started": .time(started), "finished": .time(finished),
            "total": .integer(Int64(total)), "ended": .integer(Int64(ended)),
            "tasks": .object(
                Dictionary(uniqueKeysWithValues: counts.map { ($0.key.name, .integer(Int64($0.value))) })),
        ]
    }
}

extension NamedTask {
    var json: JSONValue {
        [
            "id": .string(task.id.text), "number": .integer(task.number), "device": .string(task.device.text),
            "deviceName": .string(device.text), "operation": .string(task.operation.text),
            "type": .string(task.type.rawValue), "state": .string(task.state.name),
            "release": task.release.map { .string($0.text) } ?? .null, "attempt": .integer(Int64(task.attempt)),
            "created": .time(task.created), "changed": .time(task.changed),
            "due": task.state.isOpen && task.due.microseconds < .max ? .time(task.due) : .null,
            "code": task.code.map { .integer($0) } ?? .null, "detail": task.detail.map { .string($0) } ?? .null,
        ]
    }
}

extension TaskStatus {
    var json: JSONValue {
        [
            "time": .time(time), "word": .string(word), "code": code.map { .integer($0) } ?? .null,
            "details": .array(details.map { .string($0) }),
        ]
    }
}

extension JSONValue {
    static func time(_ time: Timestamp?) -> JSONValue { time.map { .string($0.rfc3339) } ?? .null }
}
