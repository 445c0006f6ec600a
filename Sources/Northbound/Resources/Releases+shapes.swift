import Base
import Blobs
import Fleet
import Operations
import Trust

extension Shape {
    static let artifact = Shape.named(
        "Artifact",
        .object([
            .required("id", .identifier, "The identifier, the same from the first byte on."),
            .required("name", .text(.free(atMost: OperationLimits.fileNameBytes)), "The file name."),
            .required("state", .choice(["uploading", "whole"]), "Whether all of it has come."),
            .required("size", .count, "Its bytes."),
            .required("received", .count, "The bytes that have come."),
            .required(
                "type", .nullable(.choice(ArtifactType.allCases.map(\.rawValue))), "What it is, as its bytes say."),
            .required("sha256", .nullable(.text), "Its SHA-256; while it comes, what was announced."),
            .required("sha1", .nullable(.text), "Its SHA-1, which old update clients compare."),
            .required("md5", .nullable(.text), "Its MD5, which old update clients compare."),
            .required(
                "signature", .nullable(.choice(["none", "unverified", "verified"])),
                "Whether it is signed for an update key; unverified when there was none to check it with."),
            .required("key", .nullable(.name), "The update key for which it is signed."),
            .required("created", .time, "When it was whole; while it comes, when it was begun."),
        ]))

    static let updateKey = Shape.named(
        "UpdateKey",
        .object([
            .required("name", .name, "The name."),
            .required("kind", .choice(["certificate", "authority", "publicKey"]), "What the PEM holds."),
            .required("algorithm", .text, "Sort and size of the key."),
            .required("fingerprint", .text, "The SHA-256 of the public key."),
            .required("subject", .nullable(.text), "Whose certificate it is."),
            .required("ends", .nullable(.time), "Until when the certificate is valid."),
            .required("pem", .text(.free(atMost: 16_384)), "The certificate or public key."),
            .required("creator", .text, "Who put it there."),
            .required("created", .time, "When."),
        ]))

    private static let hardware = Shape.array(
        of: .text(.free(atMost: FleetLimits.hardwareBytes)), atMost: OperationLimits.hardware)

    static let releaseDraft = Shape.named(
        "ReleaseDraft",
        .object([
            .required("component", .name, "The component that it is a version of."),
            .required(
                "version", .text(.free(atMost: OperationLimits.versionBytes)), "What people call the version."),
            .optional(
                "counter", .nullable(.integer(1...Int64(Int32.max))),
                "Where it stands among the component's versions; after the last one when left out."),
            .optional("hardware", hardware, "The hardware that it fits; any when left out."),
            .optional("notes", .text(.free(atMost: OperationLimits.notesBytes)), "What is new in it."),
            .optional("supportEnds", .nullable(.time), "Until when it is looked after."),
            .optional(
                "artifacts", .array(of: .identifier, atMost: OperationLimits.releaseArtifacts),
                "Its files, in their order."),
            .optional(
                "sbom", .nullable(.identifier), "Its bill of materials: an artifact that is CycloneDX in JSON."),
        ]))

    static let release = Shape.named(
        "Release",
        .object([
            .required("id", .identifier, "The identifier."),
            .required("component", .name, "The component that it is a version of."),
            .required("version", .text, "What people call the version."),
            .required("counter", .count, "Counts the component's versions upward."),
            .required("hardware", hardware, "The hardware that it fits; any when empty."),
            .required("notes", .text(.free(atMost: OperationLimits.notesBytes)), "What is new in it."),
            .required("supportEnds", .nullable(.time), "Until when it is looked after."),
            .required(
                "artifacts", .array(of: artifact, atMost: OperationLimits.releaseArtifacts),
                "Its files, in their order."),
            .required("sbom", .nullable(artifact), "Its bill of materials."),
            .required("state", .choice(Release.State.allCases.map(\.rawValue)), "How far it has come."),
            .required("creator", .text, "Who made it."),
            .required("created", .time, "When it was made."),
            .required("published", .nullable(.time), "When it was published."),
            .required("withdrawn", .nullable(.time), "When it was withdrawn."),
        ]))
}

extension StoredArtifact {
    var json: JSONValue {
        switch self {
        case .whole(let artifact): artifact.json
        case .uploading(let upload, let received):
            [
                "id": .string(upload.id.text), "name": .string(upload.name), "state": "uploading",
                "size": .integer(upload.size), "received": .integer(received), "type": .null,
                "sha256": upload.expected.map { .string($0.text) } ?? .null, "sha1": .null, "md5": .null,
                "signature": .null, "key": .null, "created": .string(upload.created.rfc3339),
            ]
        }
    }
}

extension Artifact {
    var json: JSONValue {
        [
            "id": .string(id.text), "name": .string(name), "state": "whole", "size": .integer(size),
            "received": .integer(size), "type": .string(type.rawValue), "sha256": .string(sha256.text),
            "sha1": .string(sha1.hex), "md5": .string(md5.hex), "signature": .string(signature.name),
            "key": signature.key.map { .string($0) } ?? .null, "created": .string(created.rfc3339),
        ]
    }
}

extension NamedUpdateKey {
    var json: JSONValue {
        [
            "name": .string(name.text), "kind": .string(key.kind.rawValue), "algorithm": .string(key.algorithm),
            "fingerprint": .string(key.fingerprint.hex), "subject": key.subject.map { .string($0) } ?? .null,
            "ends": key.ends.map { .string($0.rfc3339) } ?? .null, "pem": .string(key.pem),
            "creator": .string(creatorName), "created": .string(created.rfc3339),
        ]
    }
}

extension Release {
    var json: JSONValue {
        [
            "id": .string(id.text), "component": .string(component), "version": .string(version),
            "counter": .integer(counter), "hardware": .array(hardware.map { .string($0) }), "notes": .string(notes),
            "supportEnds": supportEnds.map { .string($0.rfc3339) } ?? .null,
            "artifacts": .array(artifacts.map(\.json)), "sbom": sbom?.json ?? .null,
            "state": .string(state.rawValue), "creator": .string(creatorName), "created": .string(created.rfc3339),
            "published": published.map { .string($0.rfc3339) } ?? .null,
            "withdrawn": withdrawn.map { .string($0.rfc3339) } ?? .null,
        ]
    }
}
