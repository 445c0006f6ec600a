import Access
import Base
import HTTPTypes
import Operations

/// Versions of components, with the files that devices install.
extension RouteTable {
    static func releases(_ services: NorthboundServices) -> [Route] {
        let operations = services.operations
        let all = "/api/v1/tenants/{tenant}/releases"
        let one = all + "/{release}"
        return [
            Route(
                .get, all, "listReleases", "Lists the releases, the newest first.", needs: .releaseRead,
                query: Parameter.paging + [
                    .query("component", .name, "Only those of this component."),
                    .query("state", .choice(Release.State.allCases.map(\.rawValue)), "Only those in this state."),
                ], success: .page(.release)
            ) { call in
                let last = try call.cursor(.releases).flatMap { ReleaseID(text: $0) }
                let found = try await operations.releases(
                    before: last, of: call.query.textIfAny("component"),
                    state: call.query.textIfAny("state").flatMap(Release.State.init(rawValue:)), limit: call.limit + 1,
                    in: call.tenant.id, by: call.principal)
                let page = found.prefix(call.limit)
                let next = found.count > page.count ? page.last?.id : nil
                return .page(page.map(\.json), next: next.map { Cursor.releases.text($0.text) })
            },
            Route(
                .post, all, "createRelease", "Makes a draft of a release.", needs: .releaseManage,
                body: .json(.releaseDraft), success: .created(.release)
            ) { call in
                let release = try await operations.createRelease(
                    ReleaseDraft(call.body), in: call.tenant.id, by: call.principal)
                return .created(release.json, at: "/api/v1/tenants/\(call.tenant.slug)/releases/\(release.id)")
            },
            Route(
                .get, one, "showRelease", "Shows a release.", needs: .releaseRead, success: .json(.release)
            ) { call in
                .ok(
                    try await operations.release(
                        call.path.identifier("release"), in: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .put, one, "changeRelease", "Changes a draft as a whole.", needs: .releaseManage,
                body: .json(.releaseDraft), success: .json(.release)
            ) { call in
                .ok(
                    try await operations.changeRelease(
                        call.path.identifier("release"), ReleaseDraft(call.body), in: call.tenant.id,
                        by: call.principal
                    ).json)
            },
            Route(
                .post, one + "/publish", "publishRelease",
                "Publishes a draft: from then on it can be installed, and never changes.", needs: .releaseManage,
                success: .json(.release)
            ) { call in
                .ok(
                    try await operations.publishRelease(
                        call.path.identifier("release"), in: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .post, one + "/withdraw", "withdrawRelease",
                "Withdraws a release: nobody can order it any more; what is under way goes on until it is ended.",
                needs: .releaseManage, success: .json(.release)
            ) { call in
                .ok(
                    try await operations.withdrawRelease(
                        call.path.identifier("release"), in: call.tenant.id, by: call.principal
                    ).json)
            },
            Route(
                .delete, one, "deleteRelease", "Deletes a draft, or a withdrawn release that no operation names.",
                needs: .releaseManage, success: .nothing
            ) { call in
                try await operations.deleteRelease(
                    call.path.identifier("release"), in: call.tenant.id, by: call.principal)
                return .done
            },
        ]
    }
}

extension ReleaseDraft {
    /// The draft that a checked body says.
    init(_ body: Fields) throws {
        func identifiers(_ name: String) throws -> [ArtifactID] {
            try body.texts(name).map { text in
                guard let id = ArtifactID(text: text) else { throw body.fault(name, "must be identifiers") }
                return id
            }
        }
        self.init(
            component: try body.name("component"), version: try body.text("version"),
            counter: body.integerIfAny("counter").map { Int64($0) }, hardware: body.texts("hardware"),
            notes: body.textIfAny("notes") ?? "", supportEnds: try body.timeIfAny("supportEnds"),
            artifacts: try identifiers("artifacts"), sbom: try body.identifierIfAny("sbom"))
    }
}
