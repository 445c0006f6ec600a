import Base
import Storage
import Trust

/// Fills the directory at start-up, in one pass over each table.
struct DirectoryLoader {
    let directory: DeviceDirectory
    let certificates: DeviceCertificates

    func load(from database: Database) async throws {
        let certificates = certificates
        let (table, models, gateways) = try await database.platform.read { transaction in
            let everywhere = transaction.acrossTenants
            var table = DirectoryTable()
            let devices = try everywhere.row("SELECT count(*) FROM device").map { try $0.int(0) } ?? 0
            table.reserve(devices: devices, credentials: devices)
            try everywhere.forEach("SELECT tenant, id, name, domain, model, status, revision FROM device") { row in
                guard let name = Name(try row.text(2)), let status = DeviceStatus(code: try row.integer(5)) else {
                    throw StorageError(.corrupt, "a device's row holds values that the program does not know")
                }
                table.put(
                    DirectoryDevice(
                        tenant: try row.identifier(0), id: try row.identifier(1), name: name,
                        domain: try row.identifier(3), model: try row.identifierIfAny(4), status: status,
                        revision: try row.integer(6)))
            }
            try certificates.forEachActive(in: transaction) { record in
                table.add(
                    DirectoryCredential(
                        device: record.device, digest: record.fingerprint,
                        sort: record.channel == .stream ? .streamCertificate : .maintenanceCertificate,
                        notAfter: record.notAfter))
            }
            try everywhere.forEach("SELECT device, hash FROM device_access_token") { row in
                guard let digest = Fingerprint(bytes: try row.blob(1)) else { return }
                table.add(
                    DirectoryCredential(
                        device: try row.identifier(0), digest: digest, sort: .accessToken,
                        notAfter: Timestamp(microseconds: .max)))
            }
            var gateways: [(tenant: TenantID, digest: Fingerprint?)] = []
            try everywhere.forEach("SELECT tenant, hash FROM gateway_token") { row in
                gateways.append((try row.identifier(0), Fingerprint(bytes: try row.blob(1))))
            }
            return (table, try ModelStore.everywhere(in: transaction), gateways)
        }
        directory.replace(table, models: models)
        for gateway in gateways { directory.setGateway(gateway.digest, of: gateway.tenant) }
    }
}
