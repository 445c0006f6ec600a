package import Fleet

/// Reads what is to be changed in which devices from CSV: a column `device`, and one for each member, named by its JSON
/// pointer. An empty cell leaves its member as it is; `null` takes it away.
package typealias EditListReader = DeviceListReader<MemberPath, DesiredEditOrder.Named>

extension EditListReader {
    /// A reader of one list.
    package init() {
        self.init(
            Rules(
                code: "desired.list", bytes: FleetLimits.editBytes, devices: FleetLimits.editedDevices,
                advice: "send it in parts",
                column: { name, before throws(Fault) in
                    guard let path = MemberPath(pointer: name) else {
                        throw Fault("\(name) is neither device nor a JSON pointer such as /net/apn")
                    }
                    // Of a member and what is within it, which is written first would decide.
                    if let other = before.first(where: path.overlaps) {
                        throw Fault("the columns \(other.pointer) and \(name) concern the same member")
                    }
                    return path
                },
                element: { device, cells in
                    .init(device, texts: Dictionary(uniqueKeysWithValues: cells.map { ($0.column, $0.cell) }))
                }))
    }
}
