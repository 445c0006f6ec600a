import Base
import Crypto
import HTTPTypes
import NIOCore
import Testing

@testable import Blobs
@testable import Northbound
@testable import Operations

/// Uploads, update keys and releases through the API.
@Suite("Artifacts and releases through the API")
struct NorthboundArtifactTests {
    private static let artifacts = "/api/v1/tenants/acme/artifacts"
    private static let keys = "/api/v1/tenants/acme/update-keys"
    private static let releases = "/api/v1/tenants/acme/releases"

    private static func hash(_ bytes: [UInt8]) -> String { Array(SHA256.hash(data: bytes)).hex }

    @Test("an upload that is cut goes on where it stands and becomes an artifact", arguments: TestDatabase.engines)
    func resumed(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let bytes = (0..<1_500_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
            let token = try await api.token("owner")
            let begun = try await api.send(
                .post, Self.artifacts, token: token,
                headers: NorthboundFixture.announcement("firmware.bin", size: bytes.count, sha256: Self.hash(bytes)))
            #expect(begun.status == 201, "\(begun.text)")
            #expect(begun.body["state"] == "uploading")
            #expect(begun.headers[.tusResumable] == "1.0.0")
            let path = try #require(begun.headers[.location])
            let cut = try await api.sendPart(path, bytes, at: 0, token: token, cutAfter: 910_000)
            #expect(cut.status >= 400)
            let head = try await api.send(.head, path, token: token, headers: [.tusResumable: "1.0.0"])
            #expect(head.status == 200)
            #expect(head.text.isEmpty)
            #expect(head.headers[.uploadLength] == "1500000")
            let stands = try #require(head.headers[.uploadOffset].flatMap { Int($0) })
            #expect(stands == 910_000)
            #expect(head.headers[.cacheControl] == "no-store")
            let rest = try await api.sendPart(path, Array(bytes[stands...]), at: stands, token: token)
            #expect(rest.status == 204, "\(rest.text)")
            #expect(rest.headers[.uploadOffset] == "1500000")
            let shown = try await api.send(.get, path, token: token)
            #expect(shown.body["state"] == "whole")
            #expect(shown.body["type"] == "binary")
            #expect(shown.body["sha256"]?.string == Self.hash(bytes))
            #expect(shown.body["signature"] == "none")
            let listed = try await api.send(.get, Self.artifacts, token: token)
            #expect(listed.items.count == 1)
            let content = try await api.send(.get, path + "/content", token: token)
            #expect(content.headers[.eTag] == "\"\(Self.hash(bytes))\"")
            #expect(content.headers[.contentDisposition] == "attachment; filename=\"firmware.bin\"")
            // What is whole never changes.
            let late = try await api.sendPart(path, [1], at: bytes.count, token: token)
            #expect(late.body["code"] == "artifact.whole")
            #expect(try await api.send(.delete, path, token: token).status == 204)
            #expect(try await api.send(.get, path, token: token).body["code"] == "artifact.unknown")
            #expect(
                try await api.world.audited("artifact.") == ["artifact.deleted", "artifact.uploaded"])
        }
    }

    @Test("what breaks the upload protocol is refused and changes nothing", arguments: TestDatabase.engines)
    func misuse(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            func begin(_ headers: HTTPFields) async throws -> NorthboundFixture.Reply {
                try await api.send(.post, Self.artifacts, headers: headers)
            }
            let good = NorthboundFixture.announcement("a.bin", size: 10)
            for (field, value, code) in [
                (HTTPField.Name.uploadLength, nil, "request.invalid"), (.uploadLength, "-1", "request.invalid"),
                (.uploadLength, "0", "artifact.size"), (.uploadLength, "1e3", "request.invalid"),
                (.uploadLength, "99999999999999999999", "request.invalid"),
                (.uploadLength, "999999999999999", "artifact.size"), (.uploadLength, "68000000000", "artifact.quota"),
                (.uploadMetadata, nil, "request.invalid"), (.uploadMetadata, "filename", "artifact.name"),
                (.uploadMetadata, "filename *", "request.invalid"), (.uploadMetadata, "name,name", "request.invalid"),
                (.uploadMetadata, "filename YQ==,sha256 YQ==", "request.invalid"),
                (.uploadMetadata, "filename " + String(repeating: "YQ", count: 3000), "request.invalid"),
                (.uploadDeferLength, "1", "request.invalid"),
            ] as [(HTTPField.Name, String?, String)] {
                var headers = good
                headers[field] = value
                let reply = try await begin(headers)
                #expect(reply.body["code"]?.string == code, "\(field) \(value ?? "-"): \(reply.text)")
            }
            for name in [
                "../x", "/etc/passwd", "a/b", "a\\b", ".hidden", "", "a\u{0}b", "a\nb", "a\u{202E}b", "c:x",
                "a\"b", " a", String(repeating: "x", count: 201),
            ] {
                let reply = try await begin(NorthboundFixture.announcement(name, size: 1))
                #expect(reply.body["code"] == "artifact.name", "\(name): \(reply.text)")
            }
            var version = good
            version[.tusResumable] = "0.2.2"
            let other = try await begin(version)
            #expect(other.status == 412)
            #expect(other.headers[.tusVersion] == "1.0.0")
            let options = try await api.send(.options, Self.artifacts)
            #expect(options.headers[.tusExtension] == "creation,termination")

            let path = try #require(try await begin(good).headers[.location])
            func part(_ bytes: Int, at offset: String, _ type: String? = nil) async throws -> NorthboundFixture.Reply {
                var headers: HTTPFields = [.uploadOffset: offset]
                headers[.contentType] = type
                return try await api.sendPart(path, [UInt8](repeating: 1, count: bytes), at: 0, headers: headers)
            }
            #expect(try await part(4, at: "0").status == 204)
            for (reply, code) in [
                (try await part(1, at: "0"), "artifact.offset"), (try await part(1, at: "5"), "artifact.offset"),
                (try await part(1, at: "x"), "request.invalid"), (try await part(1, at: "-4"), "request.invalid"),
                (try await part(1, at: "4", "application/octet-stream"), "request.mediaType"),
                (try await part(7, at: "4"), "artifact.tooMuch"),
            ] { #expect(reply.body["code"]?.string == code, "\(reply.text)") }
            #expect(try await api.send(.head, path).headers[.uploadOffset] == "4")
            // Who gives it up can not go on.
            #expect(try await api.send(.delete, path).status == 204)
            #expect(try await part(1, at: "4").body["code"] == "artifact.unknown")
            #expect(try await api.world.audited("artifact.") == [])
        }
    }

    @Test("only who may manage artifacts uploads, and nobody into another tenant", arguments: TestDatabase.engines)
    func rights(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let (owner, reader, viewer) = (
                try await api.token("owner"), try await api.token("operator"), try await api.token("viewer")
            )
            let foreign = try await api.token("owner", tenant: "rival")
            let begun = try await api.send(
                .post, Self.artifacts, token: owner, headers: NorthboundFixture.announcement("a", size: 3))
            let path = try #require(begun.headers[.location])
            #expect(try await api.sendPart(path, [1], at: 0, token: reader).status == 403)
            #expect(try await api.sendPart(path, [1], at: 0, token: viewer).status == 404)
            #expect(try await api.sendPart(path, [1], at: 0, token: foreign).status == 404)
            #expect(try await api.send(.get, path, token: reader).status == 200)
            let there = path.replacing("/acme/", with: "/rival/")
            #expect(try await api.sendPart(there, [1], at: 0, token: foreign).body["code"] == "artifact.unknown")
            #expect(try await api.send(.get, there, token: foreign).body["code"] == "artifact.unknown")
            #expect(
                try await api.send(.put, Self.keys + "/k", ["pem": "x", "reason": "x"], token: reader).status == 403)
        }
    }

    @Test("a file that is not what was announced is refused, recorded and gone", arguments: TestDatabase.engines)
    func wrongHash(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let reply = try await api.upload("a.bin", [1, 2, 3], sha256: Self.hash([1, 2]))
            #expect(reply.status == 400)
            #expect(reply.body["code"] == "artifact.checksum")
            #expect(try await api.send(.get, Self.artifacts).items.isEmpty)
            #expect(try await api.world.audited("artifact.") == ["artifact.refused"])
        }
    }

    @Test(
        "with update keys, an update is taken only when it is signed for one of them and holds what was signed",
        arguments: TestDatabase.engines)
    func signatures(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let workshop = try UpdateWorkshop(api.world.directory)
            let pem = try await workshop.certificate("vendor")
            _ = try await workshop.certificate("stranger")
            let files = [(name: "rootfs.img", bytes: [UInt8](repeating: 7, count: 3_000_000))]
            let (signed, unsigned, forged) = (
                try await workshop.update(files, by: "vendor"), try await workshop.update(files, by: nil),
                try await workshop.update(files, by: "stranger")
            )
            let before = try await api.upload("before.swu", unsigned)
            #expect(before.body["type"] == "swu", "\(before.text)")
            #expect(before.body["signature"] == "unverified")

            // It is a setting of security: with a reason, and another's word where the tenant wants that.
            let owner = try await api.token("owner")
            let bare = try await api.send(.put, Self.keys + "/vendor", ["pem": .string(pem)], token: owner)
            #expect(bare.body["code"] == "reason.required", "\(bare.text)")
            let put = try await api.send(
                .put, Self.keys + "/vendor", ["pem": .string(pem), "reason": "first key"], token: owner)
            #expect(put.status == 200, "\(put.text)")
            #expect(put.body["kind"] == "authority")
            #expect(try await api.send(.get, Self.keys).items.count == 1)

            let good = try await api.upload("good.swu", signed)
            #expect(good.body["signature"] == "verified", "\(good.text)")
            #expect(good.body["key"] == "vendor")
            var changed = signed
            changed[signed.count - 2_000_000] ^= 1
            let extra = UpdateWorkshop.archive([("sw-description", [0x7B])])
            for (bytes, code) in [
                (unsigned, "artifact.signature"), (forged, "artifact.signature"), (changed, "artifact.contents"),
                (try await workshop.update(files, by: "vendor", hashed: false), "artifact.contents"),
                (Array(signed.prefix(signed.count - 1_000_000)), "artifact.archive"),
                (UpdateWorkshop.archive([("other", [1])]), "artifact.archive"), (extra, "artifact.signature"),
                (UpdateWorkshop.archive([("sw-description", [1]), ("sw-description", [2])]), "artifact.archive"),
            ] {
                let reply = try await api.upload("bad.swu", bytes)
                #expect(reply.body["code"]?.string == code, "\(reply.text)")
            }
            // The dot of its ending is one all the same, whatever stands before it.
            let disguised = try await api.upload("bad\u{D4E}.SWU", UpdateWorkshop.archive([("other", [1])]))
            #expect(disguised.body["code"] == "artifact.archive", "\(disguised.text)")
            #expect(try await api.send(.get, Self.artifacts).items.count == 2)

            // What came before there were keys is not published without a look at its signature.
            let release = try await api.send(
                .post, Self.releases,
                ["component": "system", "version": "1", "artifacts": [before.body["id"] ?? .null]])
            let path = try #require(release.headers[.location])
            #expect(try await api.send(.post, path + "/publish").body["code"] == "release.unverified")
            #expect(
                try await api.send(.delete, Self.keys + "/vendor?reason=gone", token: owner).status == 204)
            #expect(try await api.upload("after.swu", unsigned).body["signature"] == "unverified")
            #expect(
                try await api.world.audited("updateKey.") == ["updateKey.deleted", "updateKey.put"])
        }
    }

    @Test("where a second approver is wanted, a key is trusted on two people's word", arguments: TestDatabase.engines)
    func approved(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let owner = try await api.token("owner")
            let policy = try await api.send(
                .put, "/api/v1/tenants/acme/approval-policy", ["needsSecond": true, "reason": "x"], token: owner)
            #expect(policy.status == 200, "\(policy.text)")
            let body: JSONValue = ["pem": .string(IsolationThings.pem), "reason": "x"]
            let alone = try await api.send(.put, Self.keys + "/k", body, token: owner)
            #expect(alone.body["code"] == "approval.needed", "\(alone.text)")
            let proposed = try await api.send(
                .post, "/api/v1/tenants/acme/changes",
                [
                    "kind": "updateKey.put", "reason": "x",
                    "change": ["name": "k", "pem": .string(IsolationThings.pem)],
                ], token: owner)
            #expect(proposed.status == 201, "\(proposed.text)")
            let id = try #require(proposed.body["id"]?.string)
            #expect(try await api.send(.get, Self.keys).items.isEmpty)
            let done = try await api.send(.post, "/api/v1/tenants/acme/changes/\(id)/approve")
            #expect(done.status == 200, "\(done.text)")
            #expect(try await api.send(.get, Self.keys).items.first?["name"] == "k")
        }
    }

    @Test("a release is put together, published, ordered, withdrawn and deleted", arguments: TestDatabase.engines)
    func releaseLife(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let file = try #require(try await api.upload("a.bin", [1, 2, 3]).body["id"])
            let text = #"{ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": [] }"#
            let sbom = try await api.upload("bom.json", Array(text.utf8))
            #expect(sbom.body["type"] == "cycloneDX", "\(sbom.text)")
            let nearly = try await api.upload("no.json", Array(#"{ "x": "CycloneDX" }"#.utf8))
            #expect(nearly.body["type"] == "binary")
            func draft(_ version: String, _ more: [String: JSONValue] = [:]) -> JSONValue {
                .object(["component": "system", "version": .string(version), "artifacts": [file]].merging(more) { $1 })
            }
            let made = try await api.send(
                .post, Self.releases,
                draft(
                    "2.4.0",
                    [
                        "sbom": sbom.body["id"] ?? .null, "hardware": ["1.0"], "notes": "Better.",
                        "supportEnds": "2031-01-01T00:00:00Z",
                    ]))
            #expect(made.status == 201, "\(made.text)")
            #expect(made.body["counter"] == 1)
            let path = try #require(made.headers[.location])
            for (body, code) in [
                (draft("2.4.0"), "release.versionTaken"), (draft("2.4.1", ["counter": 1]), "release.counterTaken"),
                (draft("3", ["sbom": nearly.body["id"] ?? .null]), "release.sbom"),
                (draft("3", ["artifacts": [file, file]]), "release.invalid"),
                (draft("3", ["artifacts": ["00000000000000000000000000000001"]]), "artifact.unknown"),
                (draft(""), "release.invalid"), (draft("a\nb"), "release.invalid"),
                (draft("3", ["hardware": ["x", "x"]]), "release.invalid"),
            ] {
                let reply = try await api.send(.post, Self.releases, body)
                #expect(reply.body["code"]?.string == code, "\(reply.text)")
            }
            let changed = try await api.send(.put, path, draft("2.4.0", ["counter": 5]))
            #expect(changed.body["counter"] == 5)
            #expect(changed.body["sbom"] == .null)
            let id = try #require(made.body["id"]?.string.flatMap { ReleaseID(text: $0) })
            #expect(try await api.operations.release(id, of: api.world.acme)?.state == .draft)
            _ = try await api.world.register("d")
            let order: JSONValue = [
                "type": "install", "target": ["devices": [["device": "d"]]], "release": .string(id.text),
            ]
            let early = try await api.send(.post, "/api/v1/tenants/acme/operations", order)
            #expect(early.body["code"] == "release.state", "\(early.text)")
            #expect(try await api.send(.post, path + "/publish").body["state"] == "published")
            _ = try await api.world.register("d", in: api.world.rival)
            let foreign = try await api.send(.post, "/api/v1/tenants/rival/operations", order)
            #expect(foreign.body["code"] == "release.unknown", "\(foreign.text)")
            // From memory, and yet the present one; another tenant has none of it.
            #expect(try await api.operations.release(id, of: api.world.acme)?.state == .published)
            #expect(try await api.operations.release(id, of: api.world.rival) == nil)
            #expect(try await api.send(.put, path, draft("2.4.0")).body["code"] == "release.state")
            #expect(try await api.send(.delete, path).body["code"] == "release.state")
            let older = try await api.send(.post, Self.releases, draft("2.3.9", ["counter": 2]))
            let back = try #require(older.headers[.location])
            #expect(try await api.send(.post, back + "/publish").body["code"] == "release.counter")
            #expect(try await api.send(.delete, back).status == 204)
            let empty = try await api.send(.post, Self.releases, draft("2.5", ["artifacts": []]))
            #expect(empty.body["counter"] == 6)
            let bare = try #require(empty.headers[.location])
            #expect(try await api.send(.post, bare + "/publish").body["code"] == "release.empty")
            #expect(
                try await api.send(.delete, "\(Self.artifacts)/\(file.string ?? "")").body["code"] == "artifact.used")
            let ordered = try await api.send(.post, "/api/v1/tenants/acme/operations", order)
            #expect(ordered.status == 201, "\(ordered.text)")
            #expect(try await api.send(.post, path + "/withdraw").body["state"] == "withdrawn")
            #expect(
                try await api.send(.post, "/api/v1/tenants/acme/operations", order).body["code"] == "release.state")
            #expect(try await api.send(.delete, path).body["code"] == "release.used")
            #expect(try await api.send(.get, Self.releases + "?state=withdrawn").items.count == 1)
            #expect(try await api.send(.get, Self.releases + "?component=other").items.isEmpty)
            #expect(try await api.send(.get, Self.releases + "?limit=1").body["next"] != .null)
        }
    }

    @Test(
        "upkeep ends what nobody finishes, finishes what came whole, and gives room back",
        arguments: TestDatabase.engines)
    func upkeep(engine: TestDatabase.Engine) async throws {
        try await NorthboundFixture.with(engine) { api in
            let operations = api.operations
            let admin = FleetFixture.admin
            let acme = api.world.acme
            let kept = try await api.upload("kept", [1])
            let gone = try await api.upload("gone", [2])
            _ = try await api.send(.delete, "\(Self.artifacts)/\(gone.body["id"]?.string ?? "")")
            let stale = try await operations.begin(ArtifactDraft(name: "stale", size: 2), in: acme, by: admin)
            let whole = try await operations.begin(ArtifactDraft(name: "whole", size: 2), in: acme, by: admin)
            try await operations.blobs.append(.init(bytes: [8, 9]), to: whole.upload, at: 0, of: acme)
            try await operations.tidyArtifacts(of: acme, age: .seconds(3600))
            #expect(try await api.send(.get, Self.artifacts).items.count == 3)
            #expect(try await operations.blobs.blobs(of: acme).count == 2)
            api.world.time.advance(by: .seconds(700))
            try await operations.tidyArtifacts(of: acme, age: .seconds(3600))
            let states = try await api.send(.get, Self.artifacts).items.compactMap { $0["state"]?.string }
            #expect(states.sorted() == ["uploading", "whole", "whole"])
            api.world.time.advance(by: .seconds(90_000))
            for _ in 0..<2 { try await operations.tidyArtifacts(of: acme, age: .zero, grace: .zero) }
            #expect(try await operations.blobs.blobs(of: acme).count == 2)
            #expect(try await operations.blobs.received(stale.upload, of: acme) == nil)
            let names = try await api.send(.get, Self.artifacts).items.compactMap { $0["name"]?.string }
            #expect(names.sorted() == ["kept", "whole"])
            #expect(kept.body["name"] == "kept")
            try await operations.tidyArtifacts()
            try await operations.purge(acme)
            #expect(try await operations.blobs.blobs(of: acme) == [])
        }
    }
}
