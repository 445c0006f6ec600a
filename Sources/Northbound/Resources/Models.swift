import Access
import Base
import Fleet
import HTTPTypes

/// Device types.
extension RouteTable {
    static func models(_ services: NorthboundServices) -> [Route] {
        let fleet = services.fleet
        let all = "/api/v1/tenants/{tenant}/models"
        let one = all + "/{model}"
        return [
            Route(
                .get, all, "listModels", "Lists the models by name.", needs: .modelRead, query: Parameter.paging,
                success: .page(.model)
            ) { call in
                let models = try await fleet.models(in: call.tenant.id, by: call.principal)
                return try call.page(models.map { ($0.name.text, $0.json) }, .models)
            },
            Route(
                .get, one, "showModel", "Shows a model, in its present or an earlier version.", needs: .modelRead,
                query: [.query("version", .integer(1...Int64(Int32.max)), "An earlier version.")],
                success: .json(.model)
            ) { call in
                .ok(
                    try await fleet.model(
                        call.path.text("model"), version: call.query.integerIfAny("version"), in: call.tenant.id,
                        by: call.principal
                    ).json)
            },
            Route(
                .put, one, "putModel", "Makes a model, or writes its next version.", needs: .modelManage,
                query: [
                    .query("ifVersion", .integer(1...Int64(Int32.max)), "Only when this is still the present version.")
                ], body: .json(.modelDocument), success: .json(.model)
            ) { call in
                let text = try call.path.text("model")
                let document = try ModelDocument(json: call.body.json)
                let version = call.query.integerIfAny("ifVersion")
                do {
                    return .ok(
                        try await fleet.updateModel(
                            text, document, ifVersion: version, in: call.tenant.id, by: call.principal
                        ).json)
                } catch let refusal as Refusal where refusal.code == "model.unknown" && version == nil {
                    return .ok(
                        try await fleet.createModel(
                            call.path.name("model"), document, in: call.tenant.id, by: call.principal
                        ).json)
                }
            },
            Route(
                .delete, one, "deleteModel", "Deletes a model that no device has.", needs: .modelManage,
                success: .nothing
            ) { call in
                try await fleet.deleteModel(call.path.text("model"), in: call.tenant.id, by: call.principal)
                return .done
            },
        ]
    }
}

extension Shape {
    private static let declaration = Shape.named(
        "SeriesDeclaration",
        .object([
            .required(
                "name", .text(.free(atMost: FleetLimits.seriesNameBytes)), "The name under which devices send it."),
            .optional("kind", .choice(SeriesDeclaration.Kind.allCases.map(\.rawValue)), "What kind of value it holds."),
            .optional(
                "unit", .nullable(.text(.free(atMost: FleetLimits.unitBytes))), "The symbol of its unit, such as W."),
            .optional(
                "exponent", .nullable(.integer(-18...18)),
                "The resolution: values are kept as whole multiples of ten to this power."),
            .optional("lower", .nullable(.number), "The smallest value that is accepted."),
            .optional("upper", .nullable(.number), "The largest value that is accepted."),
            .optional(
                "class", .choice(DataClass.allCases.map(\.rawValue)),
                "The class of data, when only those may read it who hold `telemetry.read.<class>` as well."),
        ]))

    private static let documentMembers: [Member] = [
        .optional("description", .nullable(.text(.free(atMost: FleetLimits.descriptionBytes))), "What it is."),
        .optional("series", .array(of: declaration, atMost: FleetLimits.series), "What its devices measure."),
        .optional(
            "undeclared", .choice(ModelDocument.Undeclared.allCases.map(\.rawValue)),
            "What happens to other series; accept when left out."),
        .optional(
            "clientIdentifier", .choice(ModelDocument.ClientIdentifier.allCases.map(\.rawValue)),
            "What happens to an MQTT client identifier that is not the device's own; replace when left out."),
        .optional("allowsAccessToken", .boolean, "Whether devices may use an access token, the weaker credential."),
        .optional("oneCertificateForBoth", .boolean, "Whether the maintenance certificate also opens the stream."),
        .optional("certificateDays", .integer(1...825), "How many days a certificate lives."),
        .optional(
            "timeWindow",
            .object([
                .optional("pastSeconds", .count, "How far in the past a record may lie."),
                .optional("futureSeconds", .count, "How far in the future a record may lie."),
            ]), "How far a device's time may lie from the server's."),
        .optional("components", .array(of: .name, atMost: FleetLimits.components), "Its separately versioned parts."),
        .optional(
            "hardware", .nullable(.text(.free(atMost: FleetLimits.hardwareBytes))),
            "What releases call the hardware of such a device; left out when nobody knows."),
        .optional("heartbeat", .nullable(heartbeatDraft), "How often its devices shall call."),
        .optional(
            "desiredSchema", jsonSchema, "What the desired document of such a device may be; anything when left out."),
        .optional(
            "customTaskSchema", jsonSchema, "What a custom task may bring such a device; anything when left out."),
    ]

    /// A JSON Schema is described by its own specification.
    private static let jsonSchema = Shape.nullable(
        .named("JSONSchema", .map(of: .any, atMost: FleetLimits.schemaNodes)))

    static let modelDocument = Shape.named("ModelDocument", .object(documentMembers))
    static let model = Shape.named(
        "Model",
        .object(
            [
                .required("id", .identifier, "The identifier."),
                .required("name", .name, "The name."),
                .required("version", .integer(1...Int64.max), "Counts its versions."),
                .required("created", .time, "When it was made."),
                .required("changed", .time, "When this version was written."),
            ] + documentMembers))
}
