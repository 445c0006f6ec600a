import Base

@testable import Audit
@testable import Fleet
@testable import Northbound
@testable import Storage

extension Probe {
    /// A filter's text: whatever it says becomes a statement that the storage takes, with every value bound.
    public static func deviceFilter(_ bytes: [UInt8]) throws {
        let value = String(decoding: bytes.prefix(300), as: UTF8.self).unicodeScalars.filter {
            $0.value > 0x1F && $0.value != 0x7F
        }
        let quoted = try? DeviceFilter("component.x = " + DeviceFilter.quoted(String(value)))
        try check(
            quoted?.expression == .term(.component("x", version: String(value))), "a quoted text is read as it was")
        let filter: DeviceFilter
        do {
            filter = try DeviceFilter(String(decoding: bytes, as: UTF8.self))
        } catch {
            return try check(error.code == "filter.invalid", "a filter is refused with its own code: \(error)")
        }
        var sql = SQLBuilder()
        let translation = DeviceFilterSQL(
            model: { _ in ModelID(high: 1, low: 1) }, domain: { _ in DomainID(high: 1, low: 1) })
        let condition = try translation.condition(filter.expression, &sql)
        try check(condition.utf8.allSatisfy { $0 == 0x0A || (0x20..<0x7F).contains($0) }, "a statement is plain ASCII")
        let statement = try SQLStatement(
            "SELECT d.id FROM device d WHERE d.tenant = $1 AND \(condition)", isKept: false)
        try check(statement.parameters == sql.arguments.count + 1, "every argument has its parameter")
        for argument in sql.arguments {
            guard case .text(let text) = argument.sqlValue else { continue }
            try check(!text.utf8.contains(0), "no bound text holds a zero, which PostgreSQL refuses")
        }
    }

    /// The cursors of all lists: each is refused, or is the very text that the place it names is written as.
    public static func cursor(_ bytes: [UInt8]) throws {
        guard let first = bytes.first else { return }
        let rest = Array(bytes.dropFirst())
        let digest = DeviceCursor.digest(sort: .name, filter: "")
        let sort = DeviceSort.allCases[Int(first) % DeviceSort.allCases.count]
        // As it is, and with a beginning that nobody would guess.
        for text in [String(decoding: rest, as: UTF8.self), ([1] + digest + rest).hex] {
            if let cursor = try? DeviceCursor(text, sort: sort, digest: digest) {
                try check(
                    cursor.text(digest: digest) == text.lowercased(), "a place in a list of devices has one cursor")
            }
            if let place = PagePlace(text) {
                try check(place.text == text.lowercased(), "a place in the audit has one cursor")
            }
        }
        for text in [String(decoding: rest, as: UTF8.self), (Array("models\n".utf8) + rest).hex] {
            if let key = try? Cursor.models.key(text) {
                try check(Cursor.models.text(key) == text.lowercased(), "a place in a list has one cursor")
            }
        }
    }
}
