import Base
import Fleet
import Trust

/// A request that was understood and whose sender may make it.
enum DeviceWork: Sendable {
    /// The CA certificates for devices of this tenant, or of none.
    case certificates(TenantSlug?, ESTLines)
    /// A first certificate.
    case enrol(tenant: TenantSlug?, identifier: String, token: String, channel: Trust.Channel?, ESTLines)
    /// The next certificate.
    case renew(AdmittedDevice, channel: Trust.Channel?, ESTLines)
    /// What an update client asks.
    case ddi(DDIRequest)
    /// What a device asks that speaks our own protocol.
    case work(WorkRequest)
    /// Readings.
    case telemetry(AdmittedDevice, contentType: String?, contentEncoding: String?)

    /// Whose it is, when that was found out from the request itself.
    var device: AdmittedDevice? {
        switch self {
        case .telemetry(let device, _, _): device
        case .ddi(let request): request.device
        case .work(let request): request.device
        case .certificates, .enrol, .renew: nil
        }
    }
}
