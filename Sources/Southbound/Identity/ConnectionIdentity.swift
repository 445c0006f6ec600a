public import Fleet

/// Who is at the other end of a new connection, as far as TLS can tell.
public struct ConnectionIdentity: Sendable {
    /// The device whose certificate was admitted, or nil when none was presented.
    ///
    /// It says who connected. Whether the device may still do anything is asked again for every session and request.
    public let device: AdmittedDevice?
    /// The address that the peer connects from.
    public var address: ClientAddress { connection.address }
    /// The connection, for whoever takes it over.
    let connection: DeviceConnection
}
