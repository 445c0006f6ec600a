import Base
public import Storage

/// Ties a database to the keys that seal it and to the name in its certificates.
///
/// The first start gives both the same random number. A later start that finds only one half, or halves of two
/// installations, is refused: with a key directory that is not mounted, a database that was lost, or a setting that
/// names another one, the server would otherwise make new keys or an empty database and look healthy.
public enum Installation {
    private static let what = "Restore it from the backup, or name the right one."

    /// Compares the database with the keys in `directory`, or ties them together at the first start; call it after the
    /// migrations and before the key ring is opened.
    public static func check(_ database: Database, keys directory: String, deployment: DeploymentName) async throws {
        let path = "\(directory)/installation"
        let ours = SecretFile.exists(path) ? try SecretFile.read(path, for: .owner) : nil
        let hasKeys = SecretFile.exists("\(directory)/root.wrapped")
        let stored = try await database.platform.read { tx in
            try tx.row("SELECT id, deployment FROM installation").map { (try $0.blob(0), try $0.text(1)) }
        }
        let isUsed = try await database.platform.read { tx in
            try tx.acrossTenants.row("SELECT 1 FROM tenant_key LIMIT 1") != nil
        }
        if stored != nil || isUsed, !hasKeys {
            throw Refusal(
                .unavailable, "installation.keysMissing",
                "The database belongs to an installation whose keys are not there: \(directory)/root.wrapped is missing. "
                    + what)
        }
        if ours != nil, stored == nil {
            throw Refusal(
                .unavailable, "installation.databaseMissing",
                "\(directory) holds the keys of an installation, but the database is empty. \(what)")
        }
        if let ours, let stored, ours != Array(stored.0.hex.utf8) {
            throw Refusal(
                .unavailable, "installation.other",
                "The keys in \(directory) and the database belong to two installations. \(what)")
        }
        if let stored, stored.1 != deployment.text {
            throw Refusal(
                .invalid, "installation.deployment",
                "This installation is the deployment \(stored.1), which its certificates name; the configuration says "
                    + "\(deployment.text). Set deployment back; another name takes a new installation.")
        }
        if ours != nil { return }
        let id: [UInt8]
        if let stored {
            id = stored.0
        } else {
            id = try await tie(database, deployment)
        }
        // Last, so that a start cut short here is finished by the next.
        try SecretFile.createDirectory(directory, for: .owner)
        try SecretFile.replace(path, with: Array(id.hex.utf8), for: .owner)
    }

    private static func tie(_ database: Database, _ deployment: DeploymentName) async throws -> [UInt8] {
        let id = (0..<16).map { _ in UInt8.random(in: 0...255) }
        try await database.platform.write { tx in
            try tx.execute("INSERT INTO installation (id, deployment) VALUES ($1, $2)", id, deployment.text)
        }
        return id
    }
}
