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
    /// Readings.
    case telemetry(AdmittedDevice, contentType: String?, contentEncoding: String?)
}
