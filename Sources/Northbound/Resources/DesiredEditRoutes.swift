import Access
import Base
import Fleet
import HTTPTypes
import HummingbirdCore
import NIOCore

/// Changes of many devices' own layers at once.
extension RouteTable {
    static func desiredEdits(_ services: NorthboundServices) -> [Route] {
        let fleet = services.fleet
        let all = "/api/v1/tenants/{tenant}/desired-edits"
        return [
            Route(
                .get, all, "listDesiredEdits",
                "Lists the newest edits: one's own, or everybody's for who controls all devices.",
                needs: .deviceControl, query: Parameter.paging, success: .page(.desiredEdit)
            ) { call in
                let edits = try await fleet.edits(in: call.tenant.id, by: call.principal)
                return try call.page(edits.map { ($0.id.text, $0.json) }, .edits)
            },
            Route(
                .post, all, "editDesired",
                "Changes the own layers of many devices, in the background. Refused when one of them would no longer fit its model.",
                needs: .deviceControl, body: .json(.desiredEditDraft), success: .json(.desiredEdit)
            ) { call in
                .ok(
                    try await fleet.edit(
                        DesiredEditOrder(call.body), in: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .post, all + "/preview", "previewDesiredEdit",
                "Shows what an edit would change for which devices; nothing is written.",
                needs: .deviceControl, body: .json(.desiredEditDraft), success: .json(.desiredPreview)
            ) { call in
                .ok(
                    try await fleet.preview(
                        DesiredEditOrder(call.body), in: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .post, all + "/list", "editDesiredForList",
                "Changes the own layers of the devices of a list: a column `device`, and one for each member, named by its JSON pointer.",
                needs: .deviceControl, body: .streamed(["text/csv"]), success: .json(.desiredEdit)
            ) { call in
                .ok(try await fleet.edit(list(call), in: call.tenant.id, by: call.principal).json)
            },
            Route(
                .post, all + "/list/preview", "previewDesiredEditForList",
                "Shows what an edit of the devices of a list would change; nothing is written.",
                needs: .deviceControl, body: .streamed(["text/csv"]), success: .json(.desiredPreview)
            ) { call in
                .ok(try await fleet.preview(list(call), in: call.tenant.id, by: call.principal).json)
            },
            Route(
                .get, all + "/{edit}", "showDesiredEdit", "Shows how far an edit has come.", needs: .deviceControl,
                success: .json(.desiredEdit)
            ) { call in
                .ok(
                    try await fleet.edit(
                        call.path.identifier("edit"), in: call.tenant.id, by: call.principal
                    ).json)
            },
        ]
    }

    private static func list(_ call: Call) async throws -> DesiredEditOrder {
        var reader = EditListReader()
        for try await part in call.request.body { try reader.consume(part.readableBytesView) }
        return DesiredEditOrder(.devices(try reader.finish()))
    }
}

extension DesiredEditOrder {
    /// The edit that a body orders.
    fileprivate init(_ body: Fields) throws {
        let ways = ["filter", "domain", "devices"].filter(body.contains)
        guard ways.count == 1 else { throw body.fault("filter", "give one of filter, domain and devices") }
        let target: Target =
            switch ways[0] {
            case "filter": .filter(body.textIfAny("filter"))
            case "domain": .domain(try body.text("domain"))
            default: .devices(try body.list("devices").map { .init(try $0.text("device")) })
            }
        self.init(target, change: body.value("change") ?? [:])
    }
}

extension Shape {
    fileprivate static let desiredEditDraft = Shape.named(
        "DesiredEditDraft",
        .object([
            .optional(
                "filter", .nullable(.text(.free(atMost: FleetLimits.filterBytes))),
                "All devices that match; null is all. Give one of filter, domain and devices."),
            .optional("domain", .text, "All devices in a domain and below."),
            .optional(
                "devices",
                .array(
                    of: .object([.required("device", .text(.nameOrIdentifier), "The device's name or identifier.")]),
                    atMost: FleetLimits.editedDevices), "These devices."),
            .required(
                "change", desiredMembers,
                "A merge patch (RFC 7396) of each device's own layer; {\"$generate\":\"gw-{number:4}\"} and {\"$random\":24} make a value for each device."
            ),
        ]))

    fileprivate static let desiredEdit = Shape.named(
        "DesiredEdit",
        .object([
            .required("id", .identifier, "The edit's identifier."),
            .required("creator", .text, "Who ordered it."),
            .required("created", .time, "When."),
            .required("finished", .nullable(.time), "When it was through."),
            .required("total", .count, "How many devices it is for."),
            .required("done", .count, "How many have it."),
            .required("refused", .count, "For how many it was refused after all, because they changed meanwhile."),
            .required(
                "examples",
                .array(
                    of: .object([
                        .required("device", .text, "The device."), .required("message", .text, "Why."),
                    ]), atMost: FleetLimits.previewedDevices), "Some of these."),
        ]))
}
