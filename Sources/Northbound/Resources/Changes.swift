import Access
import Base
import HTTPTypes

/// Changes of security settings that wait for a second approver, and the policy that asks for one.
extension RouteTable {
    static func changes(_ services: NorthboundServices) -> [Route] {
        let access = services.access
        let all = "/api/v1/tenants/{tenant}/changes"
        let policy = "/api/v1/tenants/{tenant}/approval-policy"
        return [
            Route(
                .get, all, "listChanges",
                "Lists the changes that wait or waited for a second approver, the newest first.", needs: .principalRead,
                query: Parameter.paging + [
                    .query(
                        "status", .choice(PendingChange.Status.allCases.map(\.rawValue)), "Only those of this status.")
                ], success: .page(.pendingChange)
            ) { call in
                let status = call.query.textIfAny("status").flatMap(PendingChange.Status.init(rawValue:))
                let found = try await access.pendingChanges(
                    status: status, tenant: call.tenant.id, by: call.principal)
                return try call.page(found.map { ($0.id.text, $0.json) }, .changes)
            },
            Route(
                .post, all, "proposeChange", "Proposes a change that another administrator can approve.",
                needs: .principalManage,
                body: .json(
                    .named(
                        "ChangeDraft",
                        .object([
                            .required(
                                "kind", .text(.free(atMost: 64)),
                                "What sort of change, such as role.put or grant.put; docs/access.md has them all."),
                            .required(
                                "change", .any,
                                "What the direct request's body would say; names in it are kept by identifier."),
                            .required("reason", .text(.free(atMost: AccessLimits.reasonBytes)), "Why."),
                        ]))), success: .created(.pendingChange)
            ) { call in
                let change = try await access.propose(
                    call.body.text("kind"), call.body.value("change") ?? .null, reason: call.body.text("reason"),
                    tenant: call.tenant.id, by: call.principal)
                return .created(change.json, at: "/api/v1/tenants/\(call.tenant.slug)/changes/\(change.id)")
            },
            Route(
                .get, all + "/{change}", "showChange",
                "Shows a change with what it is about now, and what that was when it was proposed.",
                needs: .principalRead, success: .json(.changeReview)
            ) { call in
                .ok(
                    try await access.review(
                        call.path.identifier("change"), tenant: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .post, all + "/{change}/approve", "approveChange",
                "Approves a change and makes it; its proposer can not.", needs: .principalManage,
                query: [
                    .query(
                        "seen", .text(.free(atMost: 64)),
                        "What showChange said: when that is no longer so, nothing is approved.")
                ], success: .json(.pendingChange)
            ) { call in
                .ok(
                    try await access.approve(
                        call.path.identifier("change"), seen: call.query.textIfAny("seen"), tenant: call.tenant.id,
                        by: call.principal
                    ).json)
            },
            Route(
                .post, all + "/{change}/reject", "rejectChange", "Turns a change down; its proposer takes it back.",
                needs: .principalManage, success: .json(.pendingChange)
            ) { call in
                .ok(
                    try await access.reject(
                        call.path.identifier("change"), tenant: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .get, policy, "showApprovalPolicy", "Shows whether changes of security need a second approver.",
                needs: .principalRead, success: .json(.approvalPolicy)
            ) { call in
                .ok([
                    "needsSecond": .bool(
                        try await access.needsSecondApprover(tenant: call.tenant.id, by: call.principal))
                ])
            },
            Route(
                .put, policy, "setApprovalPolicy",
                "Decides whether changes of security need a second approver; to end that, one is needed.",
                needs: .approvalManage,
                body: .json(
                    .named(
                        "ApprovalPolicyChange",
                        .object([
                            .required("needsSecond", .boolean, "Whether another administrator must approve."),
                            .reason,
                        ]))), success: .json(.approvalPolicy)
            ) { call in
                let needs = call.body.boolIfAny("needsSecond") ?? true
                try await access.setNeedsSecondApprover(
                    needs, reason: call.body.textIfAny("reason"), tenant: call.tenant.id, by: call.principal)
                return .ok(["needsSecond": .bool(needs)])
            },
        ]
    }
}

extension Shape {
    static let approvalPolicy = Shape.named(
        "ApprovalPolicy", .object([.required("needsSecond", .boolean, "Whether another administrator must approve.")]))

    static let pendingChange = Shape.named(
        "PendingChange",
        .object([
            .required("id", .identifier, "The identifier."),
            .required("kind", .text, "What sort of change."),
            .required("change", .any, "What it would change, with identifiers in the place of names."),
            .required(
                "names", .map(of: .text, atMost: AccessLimits.page),
                "What these are called: now while it waits, afterwards as when it was proposed."),
            .required("reason", .text(.free(atMost: AccessLimits.reasonBytes)), "Why."),
            .required("proposer", .identifier, "Who proposed it."),
            .required("proposed", .time, "When."),
            .required("expires", .time, "Until when it can be approved."),
            .required("status", .choice(PendingChange.Status.allCases.map(\.rawValue)), "How far it has come."),
            .required("decider", .nullable(.identifier), "Who decided."),
            .required("decided", .nullable(.time), "When."),
        ]))

    private static let changeView = Shape.named(
        "ChangeView",
        .object([
            .required(
                "names", .map(of: .text, atMost: AccessLimits.page),
                "What the identifiers are called; who is missing is gone."),
            .required("present", .any, "What stands where the change would write, by its members."),
            .required(
                "permissions",
                .map(of: .array(of: .text, atMost: Permission.allCases.count), atMost: AccessLimits.page),
                "What each role that it names allows."),
        ]))

    static let changeReview = Shape.named(
        "ChangeReview",
        .object([
            .required("change", .pendingChange, "The change."),
            .required("now", changeView, "What it is about now."),
            .required("then", .nullable(changeView), "What it was about when it was proposed."),
            .required(
                "members",
                .array(
                    of: .object([
                        .required("name", .text, "The name."),
                        .required("isNew", .boolean, "Whether they joined since it was proposed."),
                    ]), atMost: AccessLimits.page), "Who is in the user group that gets a role."),
            .required(
                "gifts",
                .array(
                    of: .object([
                        .required("words", .text, "The role, whose it is and where."),
                        .required("isNew", .boolean, "Whether it was given since it was proposed."),
                    ]), atMost: AccessLimits.grantsPerPrincipal), "What somebody gets who joins the user group."),
            .required("seen", .text, "Stands for all of this; who approves can say that they have seen it."),
        ]))
}

extension PendingChange {
    fileprivate var json: JSONValue {
        [
            "id": .string(id.text), "kind": .string(kind), "change": change,
            "names": .object(names.mapValues { .string($0) }), "reason": .string(reason),
            "proposer": .string(proposer.text), "proposed": .string(proposed.rfc3339),
            "expires": .string(expires.rfc3339), "status": .string(status.rawValue),
            "decider": decider.map { .string($0.text) } ?? .null,
            "decided": decided.map { .string($0.rfc3339) } ?? .null,
        ]
    }
}

extension ChangeReview {
    fileprivate var json: JSONValue {
        [
            "change": change.json, "now": now.json, "then": then?.json ?? .null,
            "members": .array(members.map { ["name": .string($0.name), "isNew": .bool($0.isNew)] }),
            "gifts": .array(gifts.map { ["words": .string($0.words), "isNew": .bool($0.isNew)] }),
            "seen": .string(seen),
        ]
    }
}
