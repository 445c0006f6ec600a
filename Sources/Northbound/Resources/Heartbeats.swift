import Access
import Base
import Fleet
import HTTPTypes

/// How often devices shall call: of a tenant, a domain, a device. A model has its policy in its document.
extension RouteTable {
    static func heartbeats(_ services: NorthboundServices) -> [Route] {
        let fleet = services.fleet
        let tenant = "/api/v1/tenants/{tenant}/heartbeat"
        let domain = "/api/v1/tenants/{tenant}/domains/{domain}/heartbeat"
        let device = "/api/v1/tenants/{tenant}/devices/{device}/heartbeat"
        return [
            Route(
                .get, tenant, "showTenantHeartbeat",
                "Shows the heartbeat policy of devices that have no nearer one.", needs: .tenantRead,
                success: .json(.heartbeat)
            ) { call in .ok(try await fleet.heartbeat(in: call.tenant.id, by: call.principal).json) },
            Route(
                .put, tenant, "setTenantHeartbeat", "Sets the heartbeat policy of devices that have no nearer one.",
                needs: .tenantManage, body: .json(.heartbeatDraft), success: .json(.heartbeat)
            ) { call in
                try await fleet.setHeartbeat(
                    HeartbeatPolicy(json: call.body.json), in: call.tenant.id, by: call.principal)
                return .ok(try await fleet.heartbeat(in: call.tenant.id, by: call.principal).json)
            },
            Route(
                .delete, tenant, "removeTenantHeartbeat",
                "Takes the tenant's heartbeat policy away, so that the built-in one counts.", needs: .tenantManage,
                success: .nothing
            ) { call in
                try await fleet.setHeartbeat(nil, in: call.tenant.id, by: call.principal)
                return .done
            },
            Route(
                .get, domain, "showDomainHeartbeat",
                "Shows a domain's heartbeat policy: its own, and the one that counts where devices have no nearer one.",
                needs: .deviceRead, success: .json(.heartbeat)
            ) { call in
                .ok(
                    try await fleet.heartbeat(
                        ofDomain: call.path.text("domain"), in: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .put, domain, "setDomainHeartbeat", "Sets the heartbeat policy of a domain and all below it.",
                needs: .deviceManage, body: .json(.heartbeatDraft), success: .json(.heartbeat)
            ) { call in
                let domain = try call.path.text("domain")
                try await fleet.setHeartbeat(
                    HeartbeatPolicy(json: call.body.json), ofDomain: domain, in: call.tenant.id, by: call.principal)
                return .ok(
                    try await fleet.heartbeat(ofDomain: domain, in: call.tenant.id, by: call.principal).json)
            },
            Route(
                .delete, domain, "removeDomainHeartbeat",
                "Takes a domain's heartbeat policy away, so that the next one above it counts.", needs: .deviceManage,
                success: .nothing
            ) { call in
                try await fleet.setHeartbeat(
                    nil, ofDomain: call.path.text("domain"), in: call.tenant.id, by: call.principal)
                return .done
            },
            Route(
                .get, device, "showDeviceHeartbeat",
                "Shows the heartbeat policy that counts for a device, where it comes from, and how the device stands to it.",
                needs: .deviceRead, success: .json(.deviceHeartbeat)
            ) { call in
                .ok(try await fleet.heartbeat(ofDevice: call.device, in: call.tenant.id, by: call.principal).json)
            },
            Route(
                .put, device, "setDeviceHeartbeat", "Sets the heartbeat policy of one device.", needs: .deviceManage,
                body: .json(.heartbeatDraft), success: .json(.deviceHeartbeat)
            ) { call in
                try await fleet.setHeartbeat(
                    HeartbeatPolicy(json: call.body.json), ofDevice: call.device, in: call.tenant.id,
                    by: call.principal)
                return .ok(
                    try await fleet.heartbeat(ofDevice: call.device, in: call.tenant.id, by: call.principal).json)
            },
            Route(
                .delete, device, "removeDeviceHeartbeat",
                "Takes a device's own heartbeat policy away, so that the next one above it counts.",
                needs: .deviceManage, success: .nothing
            ) { call in
                try await fleet.setHeartbeat(nil, ofDevice: call.device, in: call.tenant.id, by: call.principal)
                return .done
            },
        ]
    }
}

extension Shape {
    private static let seconds = Shape.integer(FleetLimits.heartbeatSeconds)

    private static let quietHours = Shape.named(
        "QuietHours",
        .object([
            .required("from", .text(.free(atMost: 5)), "The time of day at which they begin, such as 22:00."),
            .required("until", .text(.free(atMost: 5)), "The time of day at which they end."),
            .optional(
                "timeZone", .nullable(.text(.free(atMost: FleetLimits.timeZoneBytes))),
                "Whose clocks count; the tenant's when left out."),
        ]))

    static let heartbeatDraft = Shape.named(
        "HeartbeatDraft",
        .object([
            .optional("intervalSeconds", seconds, "Seconds between two calls; 300 when left out."),
            .optional(
                "jitterPercent", .integer(FleetLimits.heartbeatJitter),
                "By how much each pause may differ from that; 10 when left out."),
            .optional(
                "busySeconds", seconds,
                "Seconds between two calls while work is queued; 30, or the interval when that is shorter."),
            .optional(
                "lateAfter", .integer(FleetLimits.heartbeatLate),
                "How many calls a device has missed when it is late; 2 when left out."),
            .optional(
                "silentAfter", .integer(FleetLimits.heartbeatSilent),
                "How many calls it has missed when it is silent; three times as many when left out."),
            .optional("quietHours", .nullable(quietHours), "When devices shall not call."),
            .optional("exempt", .boolean, "Whether a device that does not call is neither late nor silent."),
        ]))

    private static let policy = Shape.named(
        "HeartbeatPolicy",
        .object([
            .required("intervalSeconds", seconds, "Seconds between two calls."),
            .required(
                "jitterPercent", .integer(FleetLimits.heartbeatJitter), "By how much each pause may differ from that."),
            .required("busySeconds", seconds, "Seconds between two calls while work is queued."),
            .required(
                "lateAfter", .integer(FleetLimits.heartbeatLate), "How many calls a device has missed when it is late."),
            .required(
                "silentAfter", .integer(FleetLimits.heartbeatSilent),
                "How many calls it has missed when it is silent."),
            .required("quietHours", .nullable(quietHours), "When devices shall not call."),
            .required("exempt", .boolean, "Whether a device that does not call is neither late nor silent."),
        ]))

    static let heartbeatStanding = Shape.named(
        "HeartbeatStanding",
        .object([
            .required(
                "state", .nullable(.choice(HeartbeatState.allCases.map(\.rawValue))),
                "Whether it calls; null when it is not expected to, because it is not let in or exempt."),
            .required("since", .nullable(.time), "Since when; null when it never missed enough to be late."),
            .required("timesLate", .count, "How often it became late."),
            .required("timesSilent", .count, "How often it became silent."),
        ]))

    private static let members: [Member] = [
        .required("own", .nullable(policy), "The policy that was set here."),
        .required("effective", policy, "The policy that counts."),
        .required(
            "source",
            .object([
                .required(
                    "kind", .choice(["device", "domain", "model", "tenant", "builtIn"]), "What has that policy."),
                .required("id", .nullable(.identifier), "Which domain or model."),
            ]), "Where that comes from."),
    ]

    fileprivate static let heartbeat = Shape.named("Heartbeat", .object(members))
    fileprivate static let deviceHeartbeat = Shape.named(
        "DeviceHeartbeat",
        .object(members + [.required("standing", heartbeatStanding, "Whether it calls as it shall.")]))
}
