import Base
import HTTPTypes

extension RouteTable {
    /// Every operation that the server offers, the document itself included.
    static func all(_ services: NorthboundServices) -> RouteTable {
        var routes = server(services) + tenants(services) + plans(services) + domains(services) + principals(services)
        routes +=
            roles(services) + grants(services) + tokens(services) + clients(services) + directories(services)
            + shares(services)
            + models(services) + heartbeats(services) + gatewayTokens(services)
        routes += users(services) + signInRules(services) + ownFactors(services) + factorRules(services)
        routes +=
            devices(services) + deviceLists(services) + deviceDocuments(services) + desired(services)
            + desiredEdits(services)
            + telemetry(services)
        routes += userGroups(services) + reach(services) + changes(services)
        routes += operations(services) + campaigns(services)
        routes += artifacts(services) + updateKeys(services) + releases(services) + releaseLines(services)
        routes += alerts(services)
        routes += audit(services) + keys(services)
        routes += outlets(services) + deliveries(services)
        let document = Document()
        routes.append(
            .unauthenticated(
                "/api/v1/openapi.json", "openAPI", "This document.", success: .json(.any)
            ) { _ in Answer(.ok, .bytes(document.bytes(), mediaType: "application/json")) })
        let table = RouteTable(routes)
        document.describe(table)
        return table
    }
}
