package import Base
package import Storage

/// A JSON object whose members may be made for each device, as ``GeneratedValue`` says; nothing is made within arrays.
package struct GeneratedDocument: Sendable {
    /// The object with its recipes.
    private let template: JSONValue

    /// The document that `value` is; nil when the same goes for every device. Throws `Refusal.Faults` with each recipe that
    /// is none, at its place below `place`.
    package init?(_ value: JSONValue, at place: String) throws(Faults) {
        var (found, faults) = (false, [Refusal.Fault]())
        Self.walk(value, at: [], &found) { steps, message in
            faults.append(.init(place: place + MemberPath(steps).pointer, message: message))
        }
        guard faults.isEmpty else { throw Faults(faults: Array(faults.prefix(FleetLimits.namedFaults))) }
        guard found else { return nil }
        template = value
    }

    /// What is wrong with its recipes, or with what they would fill in.
    package struct Faults: Error {
        /// Each with its place.
        package let faults: [Refusal.Fault]
    }

    private static func walk(
        _ value: JSONValue, at steps: [String], _ found: inout Bool, _ fault: ([String], String) -> Void
    ) {
        do throws(GeneratedValue.Fault) {
            if try GeneratedValue.read(value) != nil {
                found = true
                return steps.isEmpty ? fault(steps, "must be an object, in whose members values are made") : ()
            }
        } catch {
            return fault(steps, error.message)
        }
        guard case .object(let members) = value else { return }
        for (key, member) in members { walk(member, at: steps + [key], &found, fault) }
    }

    /// The members of it that differ from device to device, as they are for a device.
    func members(for device: Device, _ number: Int) throws(GeneratedValue.Fault) -> JSONValue {
        var secrets: Set<MemberPath> = []
        let made = try GeneratedValue.filled(template, at: [], device, number, nil, &secrets)
        guard case .object(let members) = made, case .object(let recipes) = template else { return made }
        return .object(members.filter { recipes[$0.key] != $0.value })
    }
}

extension Fleet {
    /// What a document says of these devices alone, each the `number`th of an order; of devices that are gone, nothing.
    ///
    /// Throws ``GeneratedDocument/Faults`` with each device that has nothing to fill in.
    package func members(
        of document: GeneratedDocument, for devices: [(id: DeviceID, number: Int)], in transaction: Transaction
    ) throws -> [DeviceID: JSONValue] {
        let known = try DeviceStore.devices(devices.map(\.id), in: transaction)
        var (made, faults) = ([DeviceID: JSONValue](), [Refusal.Fault]())
        for (id, number) in devices {
            guard let device = known[id] else { continue }
            do throws(GeneratedValue.Fault) {
                made[id] = try document.members(for: device, number)
            } catch {
                faults.append(.init(place: device.name.text, message: error.message))
            }
        }
        guard faults.isEmpty else {
            throw GeneratedDocument.Faults(faults: Array(faults.prefix(FleetLimits.namedFaults)))
        }
        return made
    }
}
