import Base

/// One line of an exported bundle, each a JSON object; `docs/formats/audit.md` describes them.
enum BundleLine {
    /// The first line: whose log it is, how long, and the keys that sign its checkpoints.
    case header(tenant: TenantID, size: Int64, keptFrom: Int64, keys: [NoteVerifier], exported: Timestamp)
    /// The hashes of up to 256 leaves, before their entries; those that retention dropped have nothing else.
    case tile(position: Int64, hashes: [TreeHash])
    /// One entry: its place, its leaf, and what its sealed part says.
    case entry(index: Int64, leaf: AuditLeaf, opened: PersonalPart?)
    /// A checkpoint.
    case checkpoint(time: Timestamp, note: String)
    /// The last line: the bundle is whole.
    case end(entries: Int64)

    private static let version: Int64 = 1

    var text: String {
        switch self {
        case .header(let tenant, let size, let keptFrom, let keys, let exported):
            return JSONValue.object([
                "bundle": .object([
                    "version": .integer(Self.version), "tenant": .string(tenant.text), "size": .integer(size),
                    "keptFrom": .integer(keptFrom), "exported": .string(exported.rfc3339),
                    "keys": .array(keys.map { .string($0.description) }),
                ])
            ]).canonical
        case .tile(let position, let hashes):
            return JSONValue.object(["tile": .integer(position), "hashes": .string(hashes.flatMap(\.bytes).hex)])
                .canonical
        case .entry(let index, let leaf, let opened):
            // The leaf goes in as it is hashed, so that other tools find the very bytes in the line.
            var text = "{\"index\":\(index),\"entry\":" + String(decoding: leaf.bytes, as: UTF8.self)
            if let opened { text += ",\"opened\":" + String(decoding: opened.bytes, as: UTF8.self) }
            return text + "}"
        case .checkpoint(let time, let note):
            return JSONValue.object(["checkpoint": .string(note), "time": .string(time.rfc3339)]).canonical
        case .end(let entries):
            return JSONValue.object(["end": .object(["entries": .integer(entries)])]).canonical
        }
    }
}

/// A line of a bundle as it is read: whatever was done to it, what is left of it can be judged.
enum ReadBundleLine {
    case header(tenant: TenantID, size: Int64, keptFrom: Int64, keys: [NoteVerifier])
    case tile(position: Int64, hashes: [TreeHash])
    case entry(index: Int64, content: LogExamination.Place, leaf: AuditLeaf?)
    case checkpoint(time: Timestamp?, note: String)
    case end(entries: Int64)

    init?(_ bytes: [UInt8]) {
        guard let value = try? JSONValue(parsing: bytes, limits: JSONLimits(bytes: Limits.lineBytes, depth: 34)) else {
            return nil
        }
        if let header = value["bundle"] {
            guard header["version"]?.integer == 1,
                let tenant = header["tenant"]?.string.flatMap({ TenantID(text: $0) }),
                let size = header["size"]?.integer, size >= 0, let keptFrom = header["keptFrom"]?.integer,
                keptFrom >= 0,
                case .array(let keys)? = header["keys"]
            else { return nil }
            self = .header(
                tenant: tenant, size: size, keptFrom: keptFrom,
                keys: keys.compactMap { $0.string.flatMap { NoteVerifier($0) } })
        } else if let position = value["tile"]?.integer {
            guard position >= 0, let hashes = value["hashes"]?.string.flatMap({ [UInt8](hex: $0) }) else { return nil }
            self = .tile(position: position, hashes: TreeTiles.hashes(in: hashes))
        } else if let index = value["index"]?.integer, let entry = value["entry"] {
            let content = Array(entry.canonical.utf8)
            self = .entry(
                index: index,
                content: .init(
                    content: content, code: entry["code"]?.string,
                    time: entry["time"]?.string.flatMap { Timestamp(rfc3339: $0) }),
                leaf: AuditLeaf(parsing: content))
        } else if let note = value["checkpoint"]?.string {
            self = .checkpoint(time: value["time"]?.string.flatMap { Timestamp(rfc3339: $0) }, note: note)
        } else if let entries = value["end"]?["entries"]?.integer {
            self = .end(entries: entries)
        } else {
            return nil
        }
    }
}
