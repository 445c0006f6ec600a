import Access
import Base
import HTTPTypes
import SignIn

/// What factors a tenant demands, and the way back for who has lost theirs.
extension RouteTable {
    static func factorRules(_ services: NorthboundServices) -> [Route] {
        let factors = services.factors
        let policy = "/api/v1/tenants/{tenant}/factor-policy"
        let reason = Shape.Member.required(
            "reason", .text(.free(atMost: SignInLimits.reasonCharacters)), "Why, for the audit log.")
        return [
            Route(
                .get, policy, "showFactorPolicy", "Shows what factors the tenant demands, of everybody and by role.",
                needs: .principalRead, success: .json(.factorPolicy)
            ) { call in .ok(try await factors.policy(tenant: call.tenant.id, by: call.principal).json) },
            Route(
                .put, policy, "putFactorPolicy",
                "Demands a factor of everybody, or of a role's holders. Who lacks one sets it up at the next sign-in.",
                needs: .principalManage,
                body: .json(
                    .named(
                        "FactorDemand",
                        .object([
                            .required(
                                "level", .factorLevel,
                                "`none`, `any`, `code` (an authenticator program or a passkey) or `passkey`."),
                            .optional("role", .text(.nameOrIdentifier), "The role; everybody when left out."), reason,
                        ]))), success: .json(.factorPolicy)
            ) { call in
                guard let level = FactorLevel(rawValue: try call.body.text("level")) else {
                    throw call.body.fault("level", "is unknown")
                }
                return .ok(
                    try await factors.demand(
                        level, of: call.body.textIfAny("role"), reason: call.body.text("reason"),
                        tenant: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .post, "/api/v1/tenants/{tenant}/users/{user}/factor-reset", "resetFactors",
                "Takes all factors of somebody away who has lost theirs, and ends their sessions; they are told by mail.",
                needs: .principalManage, body: .json(.named("FactorReset", .object([reason]))), success: .nothing
            ) { call in
                try await factors.reset(
                    call.path.text("user"), reason: call.body.text("reason"), tenant: call.tenant.id,
                    by: call.principal)
                return .done
            },
        ]
    }
}

extension Shape {
    fileprivate static let factorPolicy = Shape.named(
        "FactorPolicy",
        .object([
            .required("everybody", .factorLevel, "Of everybody who has an account in the tenant."),
            .required(
                "roles",
                .array(
                    of: .object([
                        .required("role", .identifier, "The role."),
                        .required("level", .factorLevel, "What is demanded of its holders."),
                    ]), atMost: AccessLimits.roles + 10), "Beyond that, of the holders of roles."),
        ]))
}

extension FactorPolicy {
    fileprivate var json: JSONValue {
        [
            "everybody": .string(everybody.rawValue),
            "roles": .array(
                roles.sorted { $0.key < $1.key }.map {
                    ["role": .string($0.key.text), "level": .string($0.value.rawValue)]
                }),
        ]
    }
}
