import Base
import Fleet

/// What a device is wanted to be, beside hawkBit's API, which has no such thing: the poll names it as `desired` until the
/// device has fetched it, and clients that do not know the name pass over it.
extension DDIService {
    /// The link that a poll has while something that the device has not fetched is desired.
    func desiredLink(for device: AdmittedDevice) -> (name: String, path: String)? {
        desk.news.version(for: device.device) == nil ? nil : ("desired", "/desired")
    }

    /// What the device is wanted to be, signed like everything that it is told to do.
    func desired(_ device: AdmittedDevice) async throws -> Answer { .ok(try await desk.desired(for: device)) }

    /// Keeps what the device says it is.
    func take(reported body: [UInt8], from device: AdmittedDevice) async throws -> Answer {
        _ = try await desk.keep(.reported(body), from: device)
        return Self.taken
    }
}
