import Base
import Storage

/// How a device stands in its table.
enum DeviceRow {
    /// The columns in the order in which ``device(_:)`` reads them.
    static let columns = """
        d.id, d.name, d.domain, d.model, d.status, d.capabilities, d.enrolled, d.created, d.changed, d.revision, \
        d.identifiers, d.labels, d.attributes, d.components, d.latitude, d.longitude, d.place
        """

    /// The names of the columns for an insert, in the order of ``values(_:)``.
    static let names = [
        "id", "name", "domain", "model", "status", "capabilities", "enrolled", "created", "changed", "revision",
        "identifiers", "labels", "attributes", "components", "latitude", "longitude", "place",
    ]

    static let count = 17

    static func device(_ row: Row) throws -> Device {
        guard let name = Name(try row.text(1)), let status = DeviceStatus(code: try row.integer(4)) else {
            throw StorageError(.corrupt, "a device's row holds values that the program does not know")
        }
        var location: Location?
        if let latitude = try row.realIfAny(14), let longitude = try row.realIfAny(15) {
            location = Location(latitude: latitude, longitude: longitude)
        }
        return Device(
            id: try row.identifier(0), name: name, domain: try row.identifier(2), model: try row.identifierIfAny(3),
            status: status, capabilities: Capabilities(rawValue: UInt8(truncatingIfNeeded: try row.integer(5))),
            identifiers: StoredDocument.identifiers(try row.text(10)), labels: StoredDocument.words(try row.text(11)),
            attributes: StoredDocument.object(try row.text(12)), components: StoredDocument.words(try row.text(13)),
            location: location, place: try row.textIfAny(16), created: try row.timestamp(7),
            enrolled: try row.timestampIfAny(6), changed: try row.timestamp(8), revision: try row.integer(9))
    }

    static func values(_ device: Device) -> [SQLValue] {
        [
            device.id.sqlValue, device.name.sqlValue, device.domain.sqlValue, device.model.sqlValue,
            .integer(device.status.code), .integer(Int64(device.capabilities.rawValue)), device.enrolled.sqlValue,
            device.created.sqlValue, device.changed.sqlValue, .integer(device.revision),
            .text(document(identifiers: device.identifiers)), .text(document(words: device.labels)),
            .text(device.attributes.isEmpty ? "{}" : JSONValue.object(device.attributes).canonical),
            .text(document(words: device.components)), device.location.map { .real($0.latitude) } ?? .null,
            device.location.map { .real($0.longitude) } ?? .null, device.place.sqlValue,
        ]
    }

    private static func document(identifiers: [HardwareIdentifier]) -> String {
        identifiers.isEmpty ? "[]" : DeviceJSON.identifiers(identifiers).canonical
    }

    private static func document(words: [String: String]) -> String {
        words.isEmpty ? "{}" : JSONValue.object(words.mapValues { .string($0) }).canonical
    }
}
