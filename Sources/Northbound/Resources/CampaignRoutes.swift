import Access
import Base
import HTTPTypes
import Operations

/// Staged roll-outs of releases, and what devices have installed.
extension RouteTable {
    static func campaigns(_ services: NorthboundServices) -> [Route] {
        let operations = services.operations
        let all = "/api/v1/tenants/{tenant}/campaigns"
        let one = all + "/{campaign}"
        let acts = [
            Route(
                .post, one + "/approve", "approveCampaign", "Lets a campaign begin that waits for another person.",
                needs: .taskInstall, success: .json(.campaign)
            ) { call in
                .ok(
                    try await operations.approveCampaign(
                        call.path.identifier("campaign"), in: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .post, one + "/pause", "pauseCampaign",
                "Gives out nothing more of a campaign until it is resumed; what devices have begun goes on.",
                needs: .taskManage, success: .json(.campaign)
            ) { call in
                .ok(
                    try await operations.pauseCampaign(
                        call.path.identifier("campaign"), in: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .post, one + "/resume", "resumeCampaign",
                "Lets a paused campaign go on; what went wrong before is not held against it any more.",
                needs: .taskManage, success: .json(.campaign)
            ) { call in
                .ok(
                    try await operations.resumeCampaign(
                        call.path.identifier("campaign"), in: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .post, one + "/stop", "stopCampaign",
                "Ends a campaign; devices that have begun are asked first.", needs: .taskManage,
                success: .json(.campaign)
            ) { call in
                .ok(
                    try await operations.stopCampaign(
                        call.path.identifier("campaign"), in: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .post, one + "/rollback", "rollBackCampaign",
                "Ends a campaign, and gives devices that have its release an earlier one again.", needs: .taskManage,
                query: [
                    .query("release", .identifier, "The release that they get; the last one before when left out.")
                ], success: .json(.campaign)
            ) { call in
                .ok(
                    try await operations.rollBackCampaign(
                        call.path.identifier("campaign"), to: call.query.identifierIfAny("release"),
                        in: call.tenant.id, by: call.principal
                    ).json)
            },
        ]
        return [
            Route(
                .get, all, "listCampaigns",
                "Lists the campaigns, the newest first: all for who sees every device's tasks, their own for others.",
                needs: .taskRead,
                query: Parameter.paging + [
                    .query("state", .choice(Campaign.State.allCases.map(\.rawValue)), "Only those in this state.")
                ], success: .page(.campaign)
            ) { call in
                let page = try await operations.campaigns(
                    state: call.query.textIfAny("state").flatMap(Campaign.State.init(rawValue:)),
                    after: try call.cursor(.campaigns).flatMap { CampaignID(text: $0) }, limit: call.limit,
                    in: call.tenant.id, by: call.principal)
                return .page(page.items.map(\.json), next: page.next.map { Cursor.campaigns.text($0) })
            },
            Route(
                .post, all, "createCampaign",
                "Orders a staged roll-out of a release; it takes task.install for each of its devices.",
                needs: .taskInstall, body: .json(.campaignDraft), success: .created(.campaign)
            ) { call in
                let campaign = try await operations.createCampaign(
                    CampaignDraft(call.body), in: call.tenant.id, by: call.principal)
                return .created(campaign.json, at: "/api/v1/tenants/\(call.tenant.slug)/campaigns/\(campaign.id)")
            },
            Route(
                .post, all + "/preview", "previewCampaign",
                "Says how many devices each group would have, and orders nothing.", needs: .taskInstall,
                body: .json(.campaignDraft), success: .json(.campaignPreview)
            ) { call in
                .ok(
                    try await operations.previewCampaign(
                        CampaignDraft(call.body), in: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .get, one, "showCampaign", "Shows a campaign, with how its groups stand.", needs: .taskRead,
                success: .json(.campaign)
            ) { call in
                .ok(
                    try await operations.campaign(
                        call.path.identifier("campaign"), in: call.tenant.id, by: call.principal
                    ).json)
            },
        ] + acts + policy(operations) + firmware(operations)
    }

    private static func policy(_ operations: Operations) -> [Route] {
        let policy = "/api/v1/tenants/{tenant}/campaign-policy"
        return [
            Route(
                .get, policy, "showCampaignPolicy", "Shows whether another person must approve campaigns.",
                needs: .taskRead, success: .json(.campaignPolicy)
            ) { call in
                .ok([
                    "needsSecond": .bool(
                        try await operations.needsSecondForCampaigns(in: call.tenant.id, by: call.principal))
                ])
            },
            Route(
                .put, policy, "setCampaignPolicy",
                "Decides whether another person must approve campaigns; to end that, one must approve it.",
                needs: .approvalManage,
                body: .json(
                    .named(
                        "CampaignPolicyChange",
                        .object([
                            .required("needsSecond", .boolean, "Whether another person must approve."), .reason,
                        ]))), success: .json(.campaignPolicy)
            ) { call in
                let needs = call.body.boolIfAny("needsSecond") ?? true
                try await operations.setNeedsSecondForCampaigns(
                    needs, reason: call.body.textIfAny("reason"), in: call.tenant.id, by: call.principal)
                return .ok(["needsSecond": .bool(needs)])
            },
        ]
    }

    private static func firmware(_ operations: Operations) -> [Route] {
        let all = "/api/v1/tenants/{tenant}/firmware"
        return [
            Route(
                .get, all, "showFirmware", "Shows which versions of each component devices have.",
                needs: .releaseRead, success: .json(.firmware)
            ) { call in
                let found = try await operations.firmware(in: call.tenant.id, by: call.principal)
                return .ok(["components": .array(found.map(\.json))])
            },
            Route(
                .post, all + "/{component}/update", "updateFirmware",
                "Orders a campaign of a component's latest release for every device that has an earlier release of it.",
                needs: .taskInstall, body: .json(.firmwareUpdate), success: .created(.campaign)
            ) { call in
                let campaign = try await operations.updateAllBehind(
                    try call.path.name("component"), groups: try CampaignDraft.groups(call.body),
                    rules: CampaignRules(call.body.fields("rules")),
                    terms: try OperationTerms(call.body.fields("terms")),
                    in: call.tenant.id, by: call.principal)
                return .created(campaign.json, at: "/api/v1/tenants/\(call.tenant.slug)/campaigns/\(campaign.id)")
            },
        ]
    }
}
