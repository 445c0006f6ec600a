import Access
import Audit
import Base
import HTTPTypes

/// What was done, by whom.
extension RouteTable {
    static func audit(_ services: NorthboundServices) -> [Route] {
        let audit = services.audit
        let all = "/api/v1/tenants/{tenant}/audit"
        return [
            Route(
                .get, all, "listAudit", "Lists the entries of a tenant's audit log, the newest first.",
                needs: .auditRead,
                query: Parameter.paging + [
                    .query("code", .text(.free(atMost: 64)), "How the code begins, such as `device.`."),
                    .query("actor", .text(.free(atMost: 128)), "The actor's identifier."),
                    .query(
                        "credential", .identifier, "The credential that was used: a session's or token's identifier."),
                    .query("objectKind", .text(.free(atMost: 64)), "The kind of object."),
                    .query("objectId", .text(.free(atMost: 128)), "The object's identifier, together with its kind."),
                    .query("outcome", .choice(AuditEntry.Outcome.allCases.map(\.rawValue)), "How the action ended."),
                    .query("from", .time, "From this moment on."),
                    .query("to", .time, "Until before this moment."),
                ], success: .page(.auditEntry)
            ) { call in
                try await services.authorize(call, .auditRead)
                if call.query.contains("objectId"), !call.query.contains("objectKind") {
                    throw call.query.fault("objectId", "needs objectKind")
                }
                let filter = AuditFilter(
                    codePrefix: call.query.textIfAny("code"), actor: call.query.textIfAny("actor"),
                    credential: call.query.textIfAny("credential"), objectKind: call.query.textIfAny("objectKind"),
                    objectID: call.query.textIfAny("objectId"),
                    outcome: call.query.textIfAny("outcome").flatMap(AuditEntry.Outcome.init(rawValue:)),
                    from: try call.query.timeIfAny("from"), to: try call.query.timeIfAny("to"))
                let page = try await audit.page(
                    tenant: call.tenant.id, filter: filter, after: call.query.textIfAny("after"), limit: call.limit,
                    reader: call.principal.actor(in: call.tenant.id))
                return .page(page.entries.map(\.json), next: page.next)
            },
            Route(
                .get, all + "/export", "exportAudit",
                "Answers with a tenant's whole audit log as a bundle that `tidegate verify audit` checks offline.",
                needs: .auditExport, success: .streamed(["application/x-ndjson"])
            ) { call in
                try await services.authorize(call, .auditExport)
                return Answer.stream("application/x-ndjson") { writer in
                    try await audit.export(tenant: call.tenant.id, reader: call.principal.actor(in: call.tenant.id)) {
                        try await writer.write($0)
                    }
                }.saved(as: "\(call.tenant.slug).audit")
            },
            Route(
                .get, "/api/v1/audit/verify", "verifyAudit",
                "Checks every audit log of this server against its checkpoints; it reads them all.",
                needs: .platformManage, success: .json(.auditReports)
            ) { call in
                try await services.authorize(call, .platformManage)
                let reports = try await AuditVerification.database(
                    services.database, directory: services.auditDirectory)
                return .ok(["reports": .array(reports.map { $0.json(services) })])
            },
        ]
    }
}

extension Shape {
    static let auditEntry = Shape.named(
        "AuditEntry",
        .object([
            .required("index", .count, "The place in the log."),
            .required("id", .identifier, "The identifier."),
            .required("time", .time, "When it happened."),
            .required("code", .text, "What happened."),
            .required("outcome", .choice(AuditEntry.Outcome.allCases.map(\.rawValue)), "How it ended."),
            .required("domain", .nullable(.identifier), "The domain it happened in."),
            .required("actorKind", .choice(Actor.Kind.allCases.map(\.rawValue)), "What sort of actor it was."),
            .required("actor", .text, "The actor's identifier."),
            .required("actorName", .text, "The actor's name."),
            .required("credential", .nullable(.text), "The credential that proved who it was."),
            .required("address", .nullable(.text), "The address it came from."),
            .required("home", .nullable(.identifier), "The actor's own tenant, when it acted through a share."),
            .required("objectKind", .text, "The kind of object."),
            .required("objectId", .text, "The object's identifier."),
            .required("details", .any, "Whatever else belongs to it."),
            .required("shredded", .boolean, "Whether the personal details can no longer be read."),
        ]))

    static let auditReports = Shape.named(
        "AuditReports",
        .object([
            .required(
                "reports",
                .array(
                    of: .object([
                        .required("tenant", .text, "The log's tenant, by slug while it exists."),
                        .required("intact", .boolean, "Whether nothing is wrong."),
                        .required("size", .count, "How many entries the log has."),
                        .required("signed", .count, "How many of them a checkpoint vouches for."),
                        .required("pending", .count, "Entries that wait for their place."),
                        .required(
                            "restorations", .array(of: .any, atMost: 1000),
                            "Backups that were put back: each with its name, time and the entries that it kept."),
                        .required("damages", .array(of: .any, atMost: 1000), "What is wrong, and where."),
                    ]), atMost: Int(Int32.max)), "One for each log.")
        ]))
}

extension RecordedEntry {
    fileprivate var json: JSONValue {
        func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
        return [
            "index": .integer(index), "id": .string(id.text), "time": .string(time.rfc3339), "code": .string(code),
            "outcome": .string(outcome.rawValue), "domain": text(domain?.text),
            "actorKind": .string(actor.kind.rawValue), "actor": .string(actor.id), "actorName": .string(actor.name),
            "credential": text(actor.credential), "address": text(actor.address), "home": text(actor.home?.text),
            "objectKind": .string(object.kind), "objectId": .string(object.id), "details": details,
            "shredded": .bool(isShredded),
        ]
    }
}

extension AuditReport {
    fileprivate func json(_ services: NorthboundServices) -> JSONValue {
        [
            "tenant": .string(services.access.directory.tenant(tenant)?.slug.text ?? tenant.text),
            "intact": .bool(isIntact), "size": .integer(size), "signed": .integer(signedSize),
            "pending": .integer(Int64(pending)),
            "restorations": .array(restorations.suffix(1000).map(\.json)),
            "damages": .array(
                damages.map { damage in
                    [
                        "kind": .string(damage.kind.rawValue), "index": damage.index.map { .integer($0) } ?? .null,
                        "message": .string(damage.message),
                    ]
                }),
        ]
    }
}
