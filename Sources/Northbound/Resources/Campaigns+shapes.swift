import Base
import Fleet
import Operations

/// The shapes of campaigns and of what devices have installed, as they come in and go out.
extension Shape {
    private static let percent = Shape.integer(0...100)

    private static let rules = Shape.named(
        "CampaignRules",
        .object([
            .optional(
                "success", percent, "The percentage of a group that must have the release before the next begins; 90."),
            .optional(
                "error", .nullable(.integer(1...100)),
                "The percentage of failures and time-outs at which it pauses; 20, null is never."),
            .optional(
                "sample", .integer(1...Int64(OperationLimits.namedDevices)),
                "How many devices of a group must be through before failures are judged; 5."),
        ]))

    private static let groups = Shape.array(
        of: .object([
            .optional("percent", .integer(1...100), "This percentage of the target's devices."),
            .optional(
                "devices",
                .array(
                    of: .object([.required("device", .text(.nameOrIdentifier), "The device's name or identifier.")]),
                    atMost: OperationLimits.namedDevices), "These."),
        ]), atMost: OperationLimits.campaignGroups)

    static let campaignDraft = Shape.named(
        "CampaignDraft",
        .object([
            .optional("title", .text(.free(atMost: OperationLimits.titleCharacters)), "What people call it."),
            .required("release", .identifier, "The release that devices get."),
            .optional("target", operationTarget, "The devices that groups share by percentage."),
            .optional("groups", groups, "Each with percent or devices, in their order; one of all when left out."),
            .optional("rules", rules, "What makes it go on, and what stops it."),
            .optional("terms", operationTerms, "When, for how long and how often each device may try."),
            .optional("newcomers", .boolean, "Whether devices that come to match later join it."),
        ]))

    static let firmwareUpdate = Shape.named(
        "FirmwareUpdate",
        .object([
            .optional(
                "groups",
                .array(
                    of: .object([.required("percent", .integer(1...100), "This percentage of the devices behind.")]),
                    atMost: OperationLimits.campaignGroups), "Its groups, in their order; one of all when left out."),
            .optional("rules", rules, "What makes it go on, and what stops it."),
            .optional("terms", operationTerms, "When, for how long and how often each device may try."),
        ]))

    private static let counts = Shape.map(of: .count, atMost: TaskState.allCases.count)

    private static let group = Shape.object([
        .required("number", .integer(1...Int64(OperationLimits.campaignGroups)), "Its place, from 1."),
        .required("percent", .nullable(percent), "Its percentage; null when its devices were named."),
        .required("operation", .nullable(.identifier), "The operation whose tasks are its devices'."),
        .required("started", .nullable(.time), "When it began."),
        .required("members", .count, "How many devices are in it."),
        .required("planned", .count, "How many of them have got no task yet."),
        .required("upToDate", .count, "How many had the release already, or a later one."),
        .required(
            "leftOut", .count, "How many got no task: one may not install on them, it does not fit, or they are gone."),
        .required("tasks", counts, "How many of its tasks are in each state."),
    ])

    static let campaign = Shape.named(
        "Campaign",
        .object([
            .required("id", .identifier, "The identifier."),
            .required("title", .text, "What people call it."),
            .required("release", .identifier, "The release that devices get."),
            .required("target", .any, "Which devices, as it was ordered."),
            .required("terms", operationTerms, "When, for how long and how often each device may try."),
            .required("rules", rules, "What makes it go on, and what stops it."),
            .required("newcomers", .boolean, "Whether devices that come to match later join it."),
            .required("creator", .identifier, "Who ordered it."),
            .required("creatorName", .text, "Their name when they ordered it."),
            .required("approverName", .nullable(.text), "Who approved it."),
            .required("state", .choice(Campaign.State.allCases.map(\.rawValue)), "How far it has come."),
            .required(
                "reason", .nullable(.choice(Campaign.Pause.allCases.map(\.rawValue))), "Why it is paused."),
            .required("reasonGroup", .nullable(.count), "The group that made it pause."),
            .required("created", .time, "When it was ordered."),
            .required("started", .nullable(.time), "When its first group began."),
            .required("finished", .nullable(.time), "When nothing of it was open any more."),
            .required("members", .count, "How many devices are in it."),
            .required("groups", .array(of: group, atMost: OperationLimits.campaignGroups), "Its groups."),
            .required("tasks", counts, "How many tasks of all groups are in each state."),
            .required(
                "rollback",
                .nullable(
                    .object([
                        .required("release", .identifier, "The release that devices get again."),
                        .required("operation", .nullable(.identifier), "The operation that brings it."),
                        .required("tasks", counts, "How many of its tasks are in each state."),
                    ])), "What takes it back."),
        ]))

    static let campaignPreview = Shape.named(
        "CampaignPreview",
        .object([
            .required("members", .count, "How many devices would be in it."),
            .required("upToDate", .count, "How many of them have the release already, or a later one."),
            .required(
                "misfits", .count, "How many matching devices have hardware that the release is not for."),
            .required(
                "groups",
                .array(
                    of: .object([
                        .required("members", .count, "How many devices would be in it."),
                        .required("upToDate", .count, "How many of them need no task."),
                    ]), atMost: OperationLimits.campaignGroups), "The groups, in their order."),
        ]))

    static let campaignPolicy = Shape.named(
        "CampaignPolicy",
        .object([.required("needsSecond", .boolean, "Whether another person must approve campaigns.")]))

    static let firmware = Shape.named(
        "Firmware",
        .object([
            .required(
                "components",
                .array(
                    of: .object([
                        .required("component", .text, "The component."),
                        .required("latest", .nullable(.release), "The latest published release."),
                        .required("behind", .count, "How many devices have an earlier release than the latest."),
                        .required(
                            "versions",
                            .array(
                                of: .object([
                                    .required("version", .text, "What it is called."),
                                    .required(
                                        "counter", .nullable(.count), "Where it stands; null: no release has it."),
                                    .required("devices", .count, "How many devices have it."),
                                    .required(
                                        "models", .map(of: .count, atMost: 100_000),
                                        "How many of each model; those without one under an empty name."),
                                ]), atMost: 100_000), "The versions that devices have, the latest first."),
                    ]), atMost: 100_000), "The components, by name.")
        ]))
}

extension CampaignDraft {
    /// The draft in a checked body.
    init(_ body: Fields) throws {
        self.init(
            try body.identifier("release"), try body.fields("target").map { try OperationTarget($0) },
            title: body.textIfAny("title"), groups: try Self.groups(body), rules: CampaignRules(body.fields("rules")),
            terms: try OperationTerms(body.fields("terms")), takesNewcomers: body.boolIfAny("newcomers") ?? false)
    }

    /// The groups in a checked body; one of all when there are none.
    static func groups(_ body: Fields) throws -> [Share] {
        guard body.value("groups") != nil else { return [.percent(100)] }
        return try body.list("groups").map { group in
            switch (group.integerIfAny("percent"), group.value("devices")) {
            case (let percent?, nil): .percent(percent)
            case (nil, .some): .devices(try group.list("devices").map { try $0.text("device") })
            default: throw group.fault("percent", "or devices is what a group has, one of them")
            }
        }
    }
}

extension CampaignRules {
    /// The rules in checked fields; what is left out is as usual.
    init(_ fields: Fields?) {
        self.init()
        guard let fields else { return }
        if let success = fields.integerIfAny("success") { self.success = success }
        if fields.contains("error") { error = fields.integerIfAny("error") }
        if let sample = fields.integerIfAny("sample") { self.sample = sample }
    }
}

extension Campaign {
    var json: JSONValue {
        [
            "id": .string(id.text), "title": .string(title), "release": .string(release.text), "target": target,
            "terms": terms.shown,
            "rules": [
                "success": .integer(Int64(rules.success)), "error": rules.error.map { .integer(Int64($0)) } ?? .null,
                "sample": .integer(Int64(rules.sample)),
            ],
            "newcomers": .bool(takesNewcomers), "creator": .string(creator.text), "creatorName": .string(creatorName),
            "approverName": approverName.map { .string($0) } ?? .null, "state": .string(state.rawValue),
            "reason": reason.map { .string($0.rawValue) } ?? .null,
            "reasonGroup": reasonGroup.map { .integer(Int64($0)) } ?? .null, "created": .time(created),
            "started": .time(started), "finished": .time(finished), "members": .integer(Int64(members)),
            "groups": .array(groups.map(\.json)), "tasks": .counts(counts),
            "rollback": rollback.map {
                [
                    "release": .string($0.release.text),
                    "operation": $0.operation.map { .string($0.text) } ?? .null, "tasks": .counts($0.counts),
                ]
            } ?? .null,
        ]
    }
}

extension CampaignGroup {
    fileprivate var json: JSONValue {
        [
            "number": .integer(Int64(number)), "percent": percent.map { .integer(Int64($0)) } ?? .null,
            "operation": operation.map { .string($0.text) } ?? .null, "started": .time(started),
            "members": .integer(Int64(members)), "planned": .integer(Int64(planned)),
            "upToDate": .integer(Int64(upToDate)), "leftOut": .integer(Int64(leftOut)), "tasks": .counts(counts),
        ]
    }
}

extension CampaignPreview {
    var json: JSONValue {
        [
            "members": .integer(Int64(members)), "upToDate": .integer(Int64(upToDate)),
            "misfits": .integer(Int64(misfits)),
            "groups": .array(
                groups.map {
                    ["members": .integer(Int64($0.members)), "upToDate": .integer(Int64($0.upToDate))]
                }),
        ]
    }
}

extension ComponentFirmware {
    var json: JSONValue {
        [
            "component": .string(component), "latest": latest?.json ?? .null, "behind": .integer(Int64(behind)),
            "versions": .array(
                versions.map { version in
                    [
                        "version": .string(version.version),
                        "counter": version.counter.map { .integer($0) } ?? .null,
                        "devices": .integer(Int64(version.devices)),
                        "models": .object(version.models.mapValues { .integer(Int64($0)) }),
                    ]
                }),
        ]
    }
}

extension JSONValue {
    fileprivate static func counts(_ counts: [TaskState: Int]) -> JSONValue {
        .object(Dictionary(uniqueKeysWithValues: counts.map { ($0.key.name, .integer(Int64($0.value))) }))
    }
}
