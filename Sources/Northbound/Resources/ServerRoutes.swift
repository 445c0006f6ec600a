import Access
public import Audit
import Base
import HTTPTypes
import NIOPosix
import Operations
import Storage
import Trust

/// The server itself: who am I, how is it, which certificates, which keys.
extension RouteTable {
    static func server(_ services: NorthboundServices) -> [Route] {
        [
            .authenticated(
                .get, "/api/v1/principal", "showPrincipal", "Says who the caller is.", success: .json(.callerInfo)
            ) { call in
                let principal = call.principal
                return .ok([
                    "id": .string(principal.id.text), "kind": .string(principal.kind.rawValue),
                    "name": .string(principal.name),
                    "tenant": .string(services.access.directory.tenant(principal.tenant)?.slug.text ?? ""),
                    "credential": principal.credential.map { .string($0.id.text) } ?? .null,
                ])
            },
            .authenticated(
                .get, "/api/v1/server", "showServer", "Says which server this is and whether it is ready.",
                success: .json(.serverInfo)
            ) { _ in
                let missing = await services.readiness()
                return .ok([
                    "version": .string(services.version),
                    "deployment": .string(services.authorities.deployment.text), "ready": .bool(missing.isEmpty),
                    "notReady": .array(missing.map { .string($0) }), "time": .string(services.clock.now.rfc3339),
                ])
            },
            .unauthenticated(
                "/api/v1/trust/server-ca.pem", "serverAuthority",
                "The certificate that clients trust for this server's listeners.",
                success: .streamed([pemType])
            ) { _ in
                Answer(.ok, .bytes(Array(try services.authorities.serverAuthorityPEM.utf8), mediaType: pemType))
            },
            .unauthenticated(
                "/api/v1/trust/root-ca.pem", "rootAuthority",
                "The root that devices' certificates hang from.", success: .streamed([pemType])
            ) { _ in
                Answer(.ok, .bytes(Array(try services.authorities.chain.rootPEM.utf8), mediaType: pemType))
            },
        ]
    }

    private static let pemType = "application/x-pem-file"

    static func keys(_ services: NorthboundServices) -> [Route] {
        let ring = services.keyRing
        return [
            Route(
                .post, "/api/v1/keys/rotate", "rotateKeys",
                "Makes new keys; the steps seal again what the old ones sealed.",
                needs: .platformManage,
                body: .json(
                    .named(
                        "KeyRotation",
                        .object([
                            .required(
                                "what", .choice(["tenants", "maintenance", "root", "seal"]),
                                "Which keys: `maintenance` are those that sign what devices are told."),
                            .optional("tenant", .text(.slug), "Only this tenant's key."),
                        ]))), success: .nothing
            ) { call in
                try await services.authorize(call, .platformManage)
                let what = try call.body.text("what")
                let slug = try call.body.slugIfAny("tenant")
                let tenant = slug.flatMap { services.access.directory.tenant($0) }
                if slug != nil, tenant == nil { throw call.body.fault("tenant", "is no tenant's slug") }
                if tenant != nil, what != "tenants", what != "maintenance" {
                    throw call.body.fault("tenant", "goes with tenants and maintenance only")
                }
                try await services.database.platform.write { transaction in
                    try services.access.proof.require(call.principal, for: .keys, in: transaction)
                    try services.audit.record(
                        AuditEntry(
                            .keysRotated, tenant: .platform, actor: call.principal.actor(in: .platform),
                            object: AuditObject(kind: "key", id: tenant?.id.text ?? what),
                            details: ["what": .string(what)]), in: transaction)
                }
                switch what {
                // They write files, which must not hold up a thread that serves others.
                case "root": try await NIOThreadPool.singleton.runIfActive { try ring.rotateRoot() }
                case "seal": try await NIOThreadPool.singleton.runIfActive { try ring.rotateSeal() }
                case "maintenance":
                    for tenant in tenant.map({ [$0] }) ?? services.access.directory.tenants {
                        try await services.operations.rotateMaintenanceKey(of: tenant.id)
                    }
                default:
                    if let tenant {
                        try await services.database.tenant(tenant.id).write {
                            try ring.rotateTenantKey(tenant.id, in: $0)
                        }
                    } else {
                        try await ring.rotateTenantKeys(in: services.database)
                    }
                }
                return .done
            },
            Route(
                .post, "/api/v1/keys/step", "continueRotation",
                "Does a part of the work that rotations left, and says what remains.", needs: .platformManage,
                success: .json(
                    .named(
                        "RotationProgress",
                        .object([
                            .required("resealed", .count, "Values sealed again in this step."),
                            .required("rewrapped", .count, "Tenant keys wrapped again in this step."),
                            .required("destroyed", .count, "Old keys destroyed in this step."),
                            .required("remaining", .count, "Old keys that are left."),
                            .required("waiting", .count, "Those among them that only wait."),
                            .required("idle", .boolean, "Whether nothing but waiting is left."),
                            .required("finished", .boolean, "Whether no old key is left."),
                        ])))
            ) { call in
                try await services.authorize(call, .platformManage)
                let progress = try await ring.rotationStep(in: services.database)
                return .ok([
                    "resealed": .integer(Int64(progress.resealed)), "rewrapped": .integer(Int64(progress.rewrapped)),
                    "destroyed": .integer(Int64(progress.destroyed)), "remaining": .integer(Int64(progress.remaining)),
                    "waiting": .integer(Int64(progress.waiting)), "idle": .bool(progress.isIdle),
                    "finished": .bool(progress.isFinished),
                ])
            },
            Route(
                .post, "/api/v1/backups", "createBackup",
                "Makes a backup where the server's configuration says, and answers when it is done.",
                needs: .platformManage,
                success: .json(
                    .named(
                        "Backup",
                        .object([
                            .required("name", .text, "The name that both files share."),
                            .required("archive", .text, "The file with all data, on the server."),
                            .required("keys", .text, "The file with what opens it, on the server."),
                            .required("created", .time, "When it was begun."),
                            .required("bytes", .count, "The length of both files."),
                            .required(
                                "recoveryKey", .nullable(.text), "The recovery key's file, while it lies on the server."
                            ),
                        ])))
            ) { call in
                try await services.authorize(call, .platformManage)
                return .ok(try await services.backup(call.principal))
            },
        ]
    }
}

extension AuditCode {
    /// Somebody made new keys.
    public static let keysRotated = AuditCode("keys.rotated", "New keys were made; the object says which.")

    /// Every code that this part records.
    public static let northbound: [AuditCode] = [keysRotated]
}

extension Shape {
    static let callerInfo = Shape.named(
        "CallerInfo",
        .object([
            .required("id", .identifier, "The principal's identifier."),
            .required("kind", .choice(["user", "client", "device", "system"]), "What sort of principal it is."),
            .required("name", .text, "Its name."),
            .required("tenant", .text, "Its own tenant's slug."),
            .required("credential", .nullable(.identifier), "The token that was used."),
        ]))

    static let serverInfo = Shape.named(
        "ServerInfo",
        .object([
            .required("version", .text, "The program's version."),
            .required("deployment", .text, "The name in certificates."),
            .required("ready", .boolean, "Whether it serves."),
            .required("notReady", .array(of: .text, atMost: 100), "What is not ready."),
            .required("time", .time, "The server's time."),
        ]))
}
