public import Audit

extension AuditCode {
    /// A directory was made or changed.
    public static let directoryChanged = AuditCode(
        "directory.changed", "A directory by which people sign in was made or changed.")
    /// A directory was removed.
    public static let directoryRemoved = AuditCode(
        "directory.removed", "A directory was removed, with the roles that its groups gave.")
    /// A directory was asked whether it answers as it should.
    public static let directoryTested = AuditCode("directory.tested", "A directory was tested.")
    /// Somebody whom a directory knows got an account, or is taken for the holder of one.
    public static let directoryLinked = AuditCode(
        "directory.linked", "A person whom a directory knows was linked with an account.")
    /// The groups of a person gave or took roles.
    public static let directoryGroups = AuditCode(
        "directory.groups", "A person's groups in a directory have changed their roles.")
    /// A directory knew somebody, who was let in no further.
    public static let directoryRefused = AuditCode(
        "directory.refused", "A directory vouched for a person who was not let in.")

    /// Every code that directories record.
    public static let directories: [AuditCode] = [
        directoryChanged, directoryRemoved, directoryTested, directoryLinked, directoryGroups, directoryRefused,
    ]
}
