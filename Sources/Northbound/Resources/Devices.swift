import Access
import Base
import Fleet
import HTTPTypes
import HummingbirdCore

/// Devices: registered, listed, changed, kept out.
extension RouteTable {
    static func devices(_ services: NorthboundServices) -> [Route] {
        let fleet = services.fleet
        let all = "/api/v1/tenants/{tenant}/devices"
        let one = all + "/{device}"
        let tokenDays = Parameter.query(
            "tokenDays", .integer(1...366), "For how many days the enrolment token works; 7 by default.")
        return [
            Route(
                .get, all, "listDevices", "Lists the devices that the caller may see.", needs: .deviceRead,
                query: Parameter.paging + [filter, sort, counts], success: .page(.listedDevice)
            ) { call in
                let page = try await fleet.list(query(call), in: call.tenant.id, by: call.principal)
                var members: [String: JSONValue] = [
                    "items": .array(page.items.map(\.json)), "next": page.next.map { .string($0) } ?? .null,
                ]
                members["count"] = page.count.map { .integer(Int64($0.number)) }
                return .ok(.object(members))
            },
            Route(
                .post, all, "registerDevice", "Registers a device and answers with the token it enrols with.",
                needs: .deviceManage, query: [tokenDays], body: .json(.deviceDraft),
                success: .created(.registeredDevice)
            ) { call in
                let registered = try await fleet.register(
                    DeviceDraft(json: call.body.json), in: call.tenant.id, by: call.principal,
                    tokenLife: call.days("tokenDays"))
                return .created(
                    registered.json, at: "/api/v1/tenants/\(call.tenant.slug)/devices/\(registered.device.id)")
            },
            Route(
                .get, one, "showDevice", "Shows a device with its presence and credentials.", needs: .deviceRead,
                success: .json(.deviceDetails)
            ) { call in
                let details = try await fleet.show(call.device, in: call.tenant.id, by: call.principal)
                return Answer(.ok, .json(details.json), headers: [.eTag: details.device.tag])
            },
            Route(
                .patch, one, "updateDevice",
                "Changes a device; members left out stay. With If-Match only when it is still that revision.",
                needs: .deviceManage, body: .json(.deviceChange), success: .json(.device)
            ) { call in
                var change = try DeviceChange(json: call.body.json)
                if let tag = call.request.headers[.ifMatch], tag != "*" { change.revision = try revision(tag) }
                let device = try await fleet.update(call.device, change, in: call.tenant.id, by: call.principal)
                return Answer(.ok, .json(device.json), headers: [.eTag: device.tag])
            },
            Route(
                .delete, one, "deleteDevice", "Deletes a device and ends its credentials.", needs: .deviceRevoke,
                success: .nothing
            ) { call in
                try await fleet.delete(call.device, in: call.tenant.id, by: call.principal)
                return .done
            },
            Route(
                .post, one + "/suspend", "suspendDevice", "Keeps a device out until it is resumed.",
                needs: .deviceManage, body: .json(.statusReason), success: .json(.device)
            ) { call in
                .ok(
                    try await fleet.suspend(
                        call.device, reason: call.body.textIfAny("reason"), in: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .post, one + "/resume", "resumeDevice", "Lets a suspended device in again.", needs: .deviceManage,
                success: .json(.device)
            ) { call in .ok(try await fleet.resume(call.device, in: call.tenant.id, by: call.principal).json) },
            Route(
                .post, one + "/revoke", "revokeDevice",
                "Keeps a device out for good: its credentials end and its connections close.", needs: .deviceRevoke,
                body: .json(.statusReason), success: .json(.device)
            ) { call in
                .ok(
                    try await fleet.revoke(
                        call.device, reason: call.body.textIfAny("reason"), in: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .post, one + "/replace", "replaceDevice",
                "Puts a new unit in a device's place; name, domain, labels and series stay.", needs: .deviceManage,
                query: [tokenDays], body: .json(.newUnit), success: .json(.registeredDevice)
            ) { call in
                let registered = try await fleet.replace(
                    call.device, identifiers: try identifiers(call), in: call.tenant.id, by: call.principal,
                    tokenLife: call.days("tokenDays"))
                return .ok(registered.json)
            },
            Route(
                .post, one + "/enrolment-token", "issueEnrolmentToken",
                "Gives a device a new enrolment token in place of its old one.", needs: .deviceManage,
                query: [tokenDays], success: .json(.enrolmentToken)
            ) { call in
                let token = try await fleet.reissueEnrolmentToken(
                    call.device, in: call.tenant.id, by: call.principal, tokenLife: call.days("tokenDays"))
                let device = try await fleet.show(call.device, in: call.tenant.id, by: call.principal).device
                return .ok([
                    "id": .string(device.id.text), "enrolmentToken": .string(token.text),
                    "enrolmentTokenExpires": .string(token.expires.rfc3339),
                ])
            },
            Route(
                .post, one + "/access-token", "createAccessToken",
                "Gives a device an access token, the weaker credential, where its model allows it.",
                needs: .deviceManage, success: .created(.accessToken)
            ) { call in
                let token = try await fleet.createAccessToken(call.device, in: call.tenant.id, by: call.principal)
                guard case .object(var members) = token.record.json else { return .done }
                members["accessToken"] = .string(token.text)
                return .created(
                    .object(members), at: "/api/v1/tenants/\(call.tenant.slug)/devices/\(try call.path.text("device"))")
            },
            Route(
                .delete, one + "/access-tokens/{token}", "endAccessToken", "Ends an access token of a device at once.",
                needs: .deviceRevoke, success: .nothing
            ) { call in
                try await fleet.endAccessToken(
                    call.path.identifier("token"), of: call.device, in: call.tenant.id, by: call.principal)
                return .done
            },
        ]
    }

    private static let filter = Parameter.query(
        "filter", .text(.free(atMost: FleetLimits.filterBytes)),
        "Which devices, such as `status = active and label.site = \"Berlin\" and not online`.")
    private static let sort = Parameter.query(
        "sort", .choice(DeviceSort.allCases.map(\.rawValue)), "The order; by name unless said otherwise.")
    private static let counts = Parameter.query(
        "count", .boolean, "Whether to count all that match, which costs a scan.")

    private static func query(_ call: Call) -> DeviceQuery {
        DeviceQuery(
            filter: call.query.textIfAny("filter"),
            sort: call.query.textIfAny("sort").flatMap(DeviceSort.init(rawValue:)) ?? .name,
            cursor: call.query.textIfAny("after"), limit: call.limit,
            counting: call.query.boolIfAny("count") == true ? .all : .nothing)
    }

    private static func identifiers(_ call: Call) throws -> [HardwareIdentifier] {
        try call.body.list("identifiers").map { fields in
            guard let kind = HardwareIdentifier.Kind(rawValue: try fields.text("kind")),
                let identifier = HardwareIdentifier(kind, try fields.text("value"))
            else { throw fields.fault("value", "is not a number of this kind") }
            return identifier
        }
    }

    /// The revision in an entity tag of ours.
    private static func revision(_ tag: String) throws -> Int64 {
        guard tag.hasPrefix("\""), tag.hasSuffix("\""), let revision = Int64(tag.dropFirst().dropLast()) else {
            throw Refusal(
                .invalid, "request.invalid", "If-Match must be the ETag that the device was shown with.",
                faults: [Refusal.Fault(place: "If-Match", message: "is no ETag of a device")])
        }
        return revision
    }
}

extension Call {
    /// The text by which the path names a device.
    var device: String { get throws { try input.path.text("device") } }
}

extension Device {
    /// The entity tag of this revision.
    fileprivate var tag: String { "\"\(revision)\"" }
}

extension RegisteredDevice {
    fileprivate var json: JSONValue {
        guard case .object(var members) = device.json else { return .null }
        members["enrolmentToken"] = .string(token.text)
        members["enrolmentTokenExpires"] = .string(token.expires.rfc3339)
        return .object(members)
    }
}
