import Base
import Fleet
import Operations

/// What a device is wanted to be and what it says it is, for all ways over HTTPS.
extension DeviceDesk {
    /// What a device is wanted to be, signed; with this it has been given out.
    func desired(for device: AdmittedDevice) async throws -> JSONValue {
        guard case .documents(let documents) = try await keep(.look, from: device) else { throw Self.unknown }
        let envelope = try await operations.envelope(desired: documents.desired, for: device)
        news.fetched(documents.desired.version, by: device.device)
        return envelope.json
    }

    /// Keeps what a device says, or looks for what is kept.
    func keep(_ content: DeviceReport.Content, from device: AdmittedDevice) async throws -> ReportOutcome {
        let outcome = try await reports.keep(DeviceReport(content, of: device, received: clock.now))
        if case .refused(let refusal) = outcome { throw refusal }
        return outcome
    }
}
