public import Audit

extension AuditCode {
    /// An operation was ordered.
    public static let operationOrdered = AuditCode(
        "operation.ordered", "Work was ordered for devices; details say of what type and for how many.")
    /// An operation was ended before its end.
    public static let operationCancelled = AuditCode(
        "operation.cancelled", "What was still open of an operation was ended.")
    /// Failed tasks of an operation are tried again.
    public static let operationRetried = AuditCode(
        "operation.retried", "The failed tasks of an operation are tried again.")
    /// Nothing more of an operation is given out for now.
    public static let operationPaused = AuditCode("operation.paused", "Nothing more of an operation is given out.")
    /// A paused operation goes on.
    public static let operationResumed = AuditCode("operation.resumed", "A paused operation goes on.")
    /// A single task was ended.
    public static let taskCancelled = AuditCode("task.cancelled", "A device's task was ended.")
    /// A device tried to answer for a task that is not its own.
    public static let taskForeign = AuditCode(
        "task.foreign", "A device spoke of a task that is not its own, or does not exist.")
    /// A device asked under another's name.
    public static let deviceForeign = AuditCode(
        "device.foreign", "A device asked under the name of another one, or of another tenant.")
    /// A device agrees to every install from now on.
    public static let autoConfirmActivated = AuditCode(
        "device.autoConfirmActivated", "A device agrees to every install that would ask it first.")
    /// A device wants to be asked again.
    public static let autoConfirmDeactivated = AuditCode(
        "device.autoConfirmDeactivated", "A device wants to be asked again before installs that ask first.")

    /// Every code that this part records.
    public static let operations: [AuditCode] =
        [
            operationOrdered, operationCancelled, operationRetried, operationPaused, operationResumed, taskCancelled,
            taskForeign, deviceForeign, autoConfirmActivated, autoConfirmDeactivated,
        ] + releases + campaigns
}
