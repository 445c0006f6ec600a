public import Base

/// How a caller names a device: by its identifier or by its name.
///
/// A device's name is never 32 hexadecimal digits, so the two can not be mistaken for each other.
public enum DeviceReference: Hashable, Sendable {
    /// By the identifier.
    case id(DeviceID)
    /// By the name within the tenant.
    case name(Name)

    /// The reference that `text` spells, or nil when it can be neither.
    public init?(_ text: some StringProtocol) {
        if let id = DeviceID(text: text) {
            self = .id(id)
        } else if let name = Name(text) {
            self = .name(name)
        } else {
            return nil
        }
    }

    /// Whether a device may bear this name.
    static func isUsable(_ name: Name) -> Bool { DeviceID(text: name.text) == nil }
}
