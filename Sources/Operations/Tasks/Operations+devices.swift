public import Fleet
import Storage

extension Operations {
    /// The task that a device knows by this number, be it over, with the last of what was said of it; nil when the device
    /// has no such task.
    public func task(
        _ number: Int64, of device: AdmittedDevice, history: Int = 0
    ) async throws -> (task: DeviceTask, history: [TaskStatus])? {
        try await database.tenant(device.tenant).read { transaction in
            guard let task = try TaskStore.find(number: number, in: transaction), task.device == device.device else {
                return nil
            }
            guard history > 0 else { return (task, []) }
            return (task, try TaskStore.history(of: task.id, in: transaction).suffix(history))
        }
    }
}
