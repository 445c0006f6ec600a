import Base
import Operations

/// Reads which devices an operation is for from CSV: a column `device`, and a column for each member of the input that
/// differs from device to device. Cells are texts; an empty one leaves its member to the operation's own input.
typealias TaskListReader = DeviceListReader<String, OperationTarget.Named>

extension TaskListReader {
    init() {
        self.init(
            Rules(
                code: "operation.list", bytes: NorthboundLimits.uploadBytes, devices: OperationLimits.namedDevices,
                advice: "order in parts", column: { name, _ in name },
                element: { device, cells in
                    let input = Dictionary(
                        uniqueKeysWithValues: cells.map { ($0.column, JSONValue.string($0.cell)) })
                    return .init(device, input: input.isEmpty ? nil : .object(input))
                }))
    }
}
