public import Base

/// Marks identifiers of tasks.
public enum TaskKind {}
/// The identifier of a task.
public typealias TaskID = Identifier<TaskKind>

/// One piece of work for one device.
public struct DeviceTask: Sendable, Hashable {
    /// Its identifier.
    public let id: TaskID
    /// The short number by which update clients know this attempt; a further attempt has a new one, and former ones stay known.
    public internal(set) var number: Int64
    /// Whose work it is.
    public let device: DeviceID
    /// The operation that it is part of.
    public let operation: OperationID
    /// What it asks.
    public let type: TaskType
    /// How far it has come.
    public internal(set) var state: TaskState
    /// The release that an install brings.
    public let release: ReleaseID?
    /// How often it was tried, this time included.
    public internal(set) var attempt: Int
    /// When it was made.
    public let created: Timestamp
    /// When its state changed last.
    public internal(set) var changed: Timestamp
    /// When something happens to it by itself: it is queued, it ends because nobody came for it, or its time is over.
    public internal(set) var due: Timestamp
    /// The number that the device gave with its last status.
    public internal(set) var code: Int64?
    /// The last words of the device about it.
    public internal(set) var detail: String?
}
