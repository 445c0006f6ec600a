import Base

/// Decodes SenML packs in JSON (RFC 8428, section 5).
enum SenMLJSON {
    static func decode(
        _ scanner: inout JSONScanner, context: DecodingContext, names: inout SeriesNameCache,
        into batch: inout ReadingBatch
    ) throws(InputFault) {
        var resolver = SenMLResolver(context: context)
        try scanner.expect(UInt8(ascii: "["))
        if try scanner.take(UInt8(ascii: "]")) { throw InputFault(.empty, at: scanner.position) }
        repeat {
            let record = try record(&scanner, base: &resolver)
            try resolver.resolve(record, names: &names, into: &batch, at: scanner.position)
        } while try scanner.more(until: UInt8(ascii: "]"))
    }

    @inline(__always)
    private static func record(
        _ scanner: inout JSONScanner, base: inout SenMLResolver
    ) throws(InputFault) -> SenMLRecord {
        var record = SenMLRecord()
        try scanner.expect(UInt8(ascii: "{"))
        if try scanner.take(UInt8(ascii: "}")) { return record }
        repeat {
            let start = scanner.position
            let label = try scanner.key()
            guard let field = SenMLField(label: label) else {
                guard !SenMLField.isMandatory(label) else { throw InputFault(.mandatoryField, at: start) }
                _ = try scanner.skip()
                continue
            }
            try record.note(field, at: start)
            switch field {
            case .name: record.name = try text(&scanner)
            case .value: try record.set(.number(try number(&scanner)), at: start)
            case .unit: record.unit = try unit(&scanner)
            case .time: record.time = try time(&scanner)
            case .sum: record.sum = try number(&scanner)
            case .baseName: base.baseName = try text(&scanner)
            case .baseTime: base.baseTime = try time(&scanner)
            case .baseUnit: base.baseUnit = try unit(&scanner)
            case .baseValue: base.baseValue = try number(&scanner)
            case .baseSum: base.baseSum = try number(&scanner)
            case .baseVersion: try base.setVersion(try number(&scanner), at: start)
            case .text: try record.set(.text(try text(&scanner)), at: start)
            case .data: try record.set(.base64(try text(&scanner)), at: start)
            case .boolean: try record.set(.boolean(try boolean(&scanner)), at: start)
            case .updateTime: _ = try number(&scanner)
            }
        } while try scanner.more(until: UInt8(ascii: "}"))
        return record
    }

    @inline(__always)
    private static func text(_ scanner: inout JSONScanner) throws(InputFault) -> UnsafeBufferPointer<UInt8> {
        guard try scanner.peek() == UInt8(ascii: "\"") else { throw InputFault(.wrongType, at: scanner.position) }
        return try scanner.string()
    }

    @inline(__always)
    private static func number(_ scanner: inout JSONScanner) throws(InputFault) -> DecimalNumber {
        switch try scanner.peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "t"), UInt8(ascii: "f"),
            UInt8(ascii: "n"):
            throw InputFault(.wrongType, at: scanner.position)
        default: return try scanner.number()
        }
    }

    private static func boolean(_ scanner: inout JSONScanner) throws(InputFault) -> Bool {
        switch try scanner.peek() {
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return try scanner.boolean()
        default: throw InputFault(.wrongType, at: scanner.position)
        }
    }

    private static func time(_ scanner: inout JSONScanner) throws(InputFault) -> Int64 {
        let seconds = try number(&scanner)
        return try DeviceTime.microseconds(seconds: seconds, at: scanner.position)
    }

    private static func unit(_ scanner: inout JSONScanner) throws(InputFault) -> UnitSymbol {
        let bytes = try text(&scanner)
        guard let unit = UnitSymbol(bytes) else { throw InputFault(.badUnit, at: scanner.position) }
        return unit
    }
}
