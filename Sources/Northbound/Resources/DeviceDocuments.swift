import Access
import Base
import Fleet
import HTTPTypes

/// What a device is wanted to be, what it says it is, and what it says has happened to it.
extension RouteTable {
    static func deviceDocuments(_ services: NorthboundServices) -> [Route] {
        let fleet = services.fleet
        let one = "/api/v1/tenants/{tenant}/devices/{device}"
        return [
            Route(
                .get, one + "/desired", "showDesired",
                "Shows what a device is wanted to be; version 0 when nobody has said so yet.", needs: .deviceRead,
                success: .json(.desired)
            ) { call in
                .ok(try await fleet.document(.desired, of: call.device, in: call.tenant.id, by: call.principal).json)
            },
            Route(
                .put, one + "/desired", "setDesired",
                "Sets a device's own layer of what it is wanted to be; the answer is what that comes to, and a device that listens hears of it at once.",
                needs: .deviceControl,
                query: [
                    .query(
                        "ifVersion", .count,
                        "Only when this is still the present version of what the device gets; 0 when there is none."),
                    .query(
                        "ifLayer", .count,
                        "Only when this is still the present version of its own layer; 0 when there is none."),
                ], body: .json(.desiredMembers), success: .json(.setDesired)
            ) { call in
                let set = try await fleet.setOwnLayer(
                    call.body.json, of: call.device,
                    ifVersion: call.query.integerIfAny("ifVersion").map(Int64.init),
                    ifLayer: call.query.integerIfAny("ifLayer").map(Int64.init), in: call.tenant.id,
                    by: call.principal)
                guard case .object(var answer) = set.document.json else { return .ok(set.document.json) }
                answer["layer"] = .integer(set.layer)
                return .ok(.object(answer))
            },
            Route(
                .get, one + "/reported", "showReported",
                "Shows what a device says of itself; version 0 when it has said nothing yet.", needs: .deviceRead,
                success: .json(.reported)
            ) { call in
                .ok(try await fleet.document(.reported, of: call.device, in: call.tenant.id, by: call.principal).json)
            },
            Route(
                .get, one + "/events", "listDeviceEvents",
                "Lists what a device says has happened to it, the newest first.", needs: .deviceRead,
                query: Parameter.paging + [
                    .query("from", .time, "From this moment on, by the device's clock."),
                    .query("to", .time, "Until before this moment."),
                ], success: .page(.deviceEvent)
            ) { call in
                let from = try call.query.timeIfAny("from") ?? Timestamp(microseconds: 0)
                let to = try call.query.timeIfAny("to") ?? Timestamp(microseconds: .max)
                guard from < to else { throw call.query.fault("from", "must be before to") }
                let page = try await fleet.events(
                    of: call.device, from: from, to: to, after: call.query.textIfAny("after"), limit: call.limit,
                    in: call.tenant.id, by: call.principal)
                return .page(page.events.map(\.json), next: page.next)
            },
        ]
    }
}

extension Shape {
    private static func document(_ kind: DeviceDocument.Kind, _ note: String) -> Shape {
        .object([
            .required("version", .count, "Counts the changes."),
            .required(kind.rawValue, desiredMembers, note),
            .required("changed", .nullable(.time), "When it last changed."),
        ])
    }

    fileprivate static let reported = Shape.named(
        "ReportedDocument", document(.reported, "What the device says of itself."))

    fileprivate static let deviceEvent = Shape.named(
        "DeviceEvent",
        .object([
            .required("time", .time, "When it happened, by the device's clock."),
            .required("received", .time, "When the server received it."),
            .required("code", .name, "What happened, as a stable name."),
            .required("severity", .choice(DeviceEvent.Severity.allCases.map(\.rawValue)), "How much it matters."),
            .required("text", .nullable(.text(.free(atMost: FleetLimits.eventTextBytes))), "What happened, in words."),
            .required("details", .map(of: .any, atMost: FleetLimits.eventDetails), "Whatever else belongs to it."),
        ]))
}
