import Access
import Base
import Fleet
import HTTPTypes

/// The token with which one gateway speaks for many devices to the update clients' API; off unless somebody makes one.
extension RouteTable {
    static func gatewayTokens(_ services: NorthboundServices) -> [Route] {
        let fleet = services.fleet
        let path = "/api/v1/tenants/{tenant}/gateway-token"
        return [
            Route(
                .get, path, "showGatewayToken", "Says whether a gateway may speak for devices, and since when.",
                needs: .tenantManage, success: .json(.gatewayToken)
            ) { call in
                let token = try await fleet.gatewayToken(in: call.tenant.id, by: call.principal)
                return .ok([
                    "active": .bool(token != nil), "created": .time(token?.created),
                    "creatorName": token.map { .string($0.creatorName) } ?? .null,
                ])
            },
            Route(
                .post, path, "createGatewayToken",
                "Makes a gateway token in the place of any that there is; the answer shows it this once.",
                needs: .tenantManage, success: .json(.madeGatewayToken)
            ) { call in
                .ok(["token": .string(try await fleet.createGatewayToken(in: call.tenant.id, by: call.principal))])
            },
            Route(
                .delete, path, "endGatewayToken", "Ends the gateway token: no gateway may speak for devices any more.",
                needs: .tenantManage, success: .nothing
            ) { call in
                try await fleet.endGatewayToken(in: call.tenant.id, by: call.principal)
                return .done
            },
        ]
    }
}

extension Shape {
    fileprivate static let gatewayToken = Shape.named(
        "GatewayToken",
        .object([
            .required("active", .boolean, "Whether there is one."),
            .required("created", .nullable(.time), "When it was made."),
            .required("creatorName", .nullable(.text), "Who made it."),
        ]))

    fileprivate static let madeGatewayToken = Shape.named(
        "MadeGatewayToken", .object([.required("token", .text, "The token: 32 hexadecimal digits.")]))
}
