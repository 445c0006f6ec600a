extension ReasonCode {
    /// The CONNACK return code of 3.1.1 for this reason, or nil where none fits: then the connection closes without a
    /// CONNACK (3.1.1, [MQTT-3.2.2-6]).
    var returnCode311: UInt8? {
        switch self {
        case .success: 0
        case .unsupportedProtocolVersion: 1
        case .clientIdentifierNotValid: 2
        case .serverUnavailable, .serverBusy, .quotaExceeded, .useAnotherServer, .serverMoved, .connectionRateExceeded:
            3
        case .badUserNameOrPassword: 4
        case .notAuthorized, .banned, .badAuthenticationMethod: 5
        default: nil
        }
    }

    /// The reason that a CONNACK return code of 3.1.1 stands for (table 3.1).
    init?(returnCode311 code: UInt8) {
        switch code {
        case 0: self = .success
        case 1: self = .unsupportedProtocolVersion
        case 2: self = .clientIdentifierNotValid
        case 3: self = .serverUnavailable
        case 4: self = .badUserNameOrPassword
        case 5: self = .notAuthorized
        default: return nil
        }
    }

    /// The SUBACK code of 3.1.1, which knows only one failure (3.1.1, section 3.9.3).
    var subscribeCode311: UInt8 { isError ? 0x80 : rawValue }

    /// The reason that a SUBACK code of 3.1.1 stands for.
    init?(subscribeCode311 code: UInt8) {
        switch code {
        case 0: self = .success
        case 1: self = .grantedQoS1
        case 2: self = .grantedQoS2
        case 0x80: self = .unspecifiedError
        default: return nil
        }
    }
}
