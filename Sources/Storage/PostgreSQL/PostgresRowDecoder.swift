import CPostgres

/// Turns PostgreSQL's binary results into rows, by the type of each column.
struct PostgresRowDecoder {
    private enum Reading {
        case bool, int2, int4, int8, oid, float4, float8, numeric, text, blob
    }

    private let columns: [Reading]

    /// A decoder for all rows of a statement's result, or misuse when a column has a type outside the dialect.
    init(_ result: OpaquePointer) throws {
        columns = try (0..<PQnfields(result)).map { index in
            switch PQftype(result, index) {
            case PostgresType.int8: .int8
            case PostgresType.int4: .int4
            case PostgresType.int2: .int2
            case PostgresType.bool: .bool
            case PostgresType.oid: .oid
            case PostgresType.float8: .float8
            case PostgresType.float4: .float4
            case PostgresType.numeric: .numeric
            case PostgresType.blob: .blob
            case PostgresType.text, PostgresType.varchar, PostgresType.bpchar, PostgresType.name, PostgresType.unknown:
                .text
            case let type:
                throw StorageError(.misuse, "result column \(index) has a type (\(type)) that only PostgreSQL knows")
            }
        }
    }

    func row(_ result: OpaquePointer, _ row: Int32) throws -> Row {
        var values: [SQLValue] = []
        values.reserveCapacity(columns.count)
        for (index, reading) in columns.enumerated() {
            let column = Int32(truncatingIfNeeded: index)
            guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else {
                values.append(.null)
                continue
            }
            let bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, column)))
            guard let value = Self.value(reading, bytes) else {
                throw StorageError(.other, "result column \(index) has a length that its type does not have")
            }
            values.append(value)
        }
        return Row(values)
    }

    private static func value(_ reading: Reading, _ bytes: UnsafeRawBufferPointer) -> SQLValue? {
        switch reading {
        case .int8: integer(bytes, Int64.self).map { .integer($0) }
        case .int4: integer(bytes, Int32.self).map { .integer(Int64($0)) }
        case .int2: integer(bytes, Int16.self).map { .integer(Int64($0)) }
        case .oid: integer(bytes, UInt32.self).map { .integer(Int64($0)) }
        case .bool: integer(bytes, UInt8.self).map { .integer($0 == 0 ? 0 : 1) }
        case .float8: integer(bytes, UInt64.self).map { .real(Double(bitPattern: $0)) }
        case .float4: integer(bytes, UInt32.self).map { .real(Double(Float(bitPattern: $0))) }
        case .numeric: numeric(bytes)
        case .text: .text(String(decoding: bytes, as: UTF8.self))
        case .blob: .blob([UInt8](bytes))
        }
    }

    private static func integer<Integer: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, _ type: Integer.Type)
        -> Integer?
    {
        guard bytes.count == Integer.bitWidth / 8 else { return nil }
        return Integer(bigEndian: bytes.loadUnaligned(as: Integer.self))
    }

    /// A decimal number: sums of integers come so. One without fraction that fits is an integer as on SQLite, another a
    /// double, read from its decimal text so that it is the nearest one.
    static func numeric(_ bytes: UnsafeRawBufferPointer) -> SQLValue? {
        func word(_ index: Int) -> Int16? {
            guard bytes.count >= index * 2 + 2 else { return nil }
            return Int16(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: Int16.self))
        }
        guard let count = word(0), let weight = word(1), let sign = word(2), let scale = word(3), count >= 0,
            bytes.count == 8 + Int(count) * 2
        else { return nil }
        switch UInt16(bitPattern: sign) {
        case 0xC000: return .null
        case 0xD000: return .real(.infinity)
        case 0xF000: return .real(-.infinity)
        default: break
        }
        let isNegative = UInt16(bitPattern: sign) == 0x4000
        if scale == 0 {
            var integer: Int64? = 0
            for place in 0...max(Int(weight), 0) {
                let digit = Int64(place < count ? word(4 + place) ?? 0 : 0)
                integer = integer.flatMap { value in
                    let (product, isTooBig) = value.multipliedReportingOverflow(by: 10_000)
                    let (sum, carries) = product.addingReportingOverflow(isNegative ? -digit : digit)
                    return isTooBig || carries ? nil : sum
                }
            }
            if weight < 0 { return .integer(0) }
            if let integer { return .integer(integer) }
        }
        // 0.ddddddd… × 10000^(weight + 1), every group of four digits spelt out.
        var text = isNegative ? "-0." : "0."
        for place in 0..<Int(count) {
            let digits = String(word(4 + place) ?? 0)
            text += String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
        }
        text += "e\((Int(weight) + 1) * 4)"
        return Double(count == 0 ? "0" : text).map { .real($0) }
    }
}
