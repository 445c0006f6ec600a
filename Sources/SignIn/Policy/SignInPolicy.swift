public import Base

/// A tenant's rules for signing in.
public struct SignInPolicy: Sendable, Hashable {
    /// The rules for passwords.
    public var profile: PasswordProfile
    /// After how many minutes without use a session ends.
    public var idleMinutes: Int
    /// After how many hours a session ends in any case.
    public var sessionHours: Int
    /// From where people may sign in; anywhere when empty.
    public var addressRanges: [AddressRange]

    /// What holds until a tenant says otherwise: NIST SP 800-63B-4's profile, and its limits for sessions at the
    /// second assurance level (an hour idle, a day in all) rounded up to a working day.
    public static let standard = SignInPolicy(profile: .nist, idleMinutes: 60, sessionHours: 12, addressRanges: [])

    /// Minutes that a session may be idle.
    public static let idleRange = 5...10_080
    /// Hours that a session may last.
    public static let hoursRange = 1...720

    /// A policy of these rules.
    public init(profile: PasswordProfile, idleMinutes: Int, sessionHours: Int, addressRanges: [AddressRange]) {
        self.profile = profile
        self.idleMinutes = idleMinutes
        self.sessionHours = sessionHours
        self.addressRanges = addressRanges
    }
}
