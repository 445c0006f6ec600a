public import Base
public import Storage

/// Where a sealed value lives. It is bound into the seal, so that a value copied elsewhere does not open there.
public struct Place: Hashable, Sendable {
    /// The tenant whose key seals the value.
    public let tenant: TenantID
    /// The table that holds it.
    public let table: String
    /// The column that holds it.
    public let column: String
    /// The values of the row's key columns (without the tenant), in the order in which they are declared.
    public let row: [SQLValue]

    /// The column of one table's row, the row being named by its key columns without the tenant.
    public init(tenant: TenantID, table: String, row: [any SQLBindable], column: String) {
        self.tenant = tenant
        self.table = table
        self.column = column
        self.row = row.map(\.sqlValue)
    }

    /// What the seal authenticates beside the value: every part with its length, so that no two places spell the same.
    func associatedData(version: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(96)
        func add(_ part: [UInt8], _ sort: UInt8) {
            bytes.append(sort)
            bytes.append(bigEndian: UInt32(clamping: part.count))
            bytes += part
        }
        add(tenant.bytes, 1)
        add(Array(table.utf8), 2)
        for value in row {
            switch value {
            case .null: add([], 3)
            case .integer(let integer): add([UInt8](bigEndian: UInt64(bitPattern: integer)), 4)
            case .real(let real): add([UInt8](bigEndian: real.bitPattern), 5)
            case .text(let text): add(Array(text.utf8), 6)
            case .blob(let blob): add(blob, 7)
            }
        }
        add(Array(column.utf8), 8)
        add([UInt8](bigEndian: version), 9)
        return bytes
    }
}

extension [UInt8] {
    /// The bytes of `number`, the most significant first.
    init(bigEndian number: some FixedWidthInteger & UnsignedInteger) {
        self = []
        append(bigEndian: number)
    }

    /// Appends the bytes of `number`, the most significant first.
    mutating func append<Number: FixedWidthInteger & UnsignedInteger>(bigEndian number: Number) {
        for shift in stride(from: Number.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> Number(shift)))
        }
    }
}
